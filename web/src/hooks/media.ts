import { useEffect, useState } from "react";

/** A phone held upright: what is a bar with menus elsewhere is a sheet there. */
export const narrow = "(max-width: 39.99rem)";
/** Room for the query beside the results. */
export const wide = "(min-width: 62rem)";

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setMatches(list.matches);
    changed();
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, [query]);
  return matches;
}
