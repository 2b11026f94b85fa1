import { useContext, useRef } from "react";
import { Facet, QueryColor, Result } from "../api";
import { Place } from "../address";
import { sameColor } from "../colors";
import { filter, parts, toggled } from "../filters";
import { Go } from "../hooks/address";
import { NamingContext } from "../naming";
import { strings } from "../strings";
import { isPicture, withText } from "../terms";
import { Popover } from "./Popover";
import { Swatch } from "./Swatch";

const words = strings.filters;
const mostKinds = 6;
const mostColors = 2;
/** A second colour with less of the garment is a detail of it. */
const leastShare = 0.25;

interface Props {
  place: Place;
  results: Result[];
  queryColors: QueryColor[];
  /** The colours of the catalogue. */
  colors: Facet[];
  go: Go;
}

/** One tap from the results to a kind of garment, or to another colour. */
export function Refine({ place, results, queryColors, colors, go }: Props) {
  const naming = useContext(NamingContext);
  const { filters } = place;
  const chosen = filters.filter((text) => text.startsWith("category:"));
  const kinds = useKinds(place, results, chosen.length > 0);
  const picture = place.terms.some((term) => isPicture(term) && !term.less);
  const main = queryColors.slice(0, mostColors).filter(({ share }, at) => at === 0 || (share ?? 1) >= leastShare);
  const withColor = (name: string, told?: string | null) => {
    const known = colors.find((facet) => sameColor(facet.value, name));
    const text = told ?? (known && filter("color", known.value));
    // A colour that the catalogue does not have is asked for in words.
    if (!text) return go({ terms: withText(place.terms, name) });
    const others = filters.filter((other) => other === text || !other.startsWith("color:"));
    go({ filters: toggled(others, text) });
  };
  const isOn = (name: string) => filters.some((text) => text.startsWith("color:") && sameColor(parts(text)[1], name));
  const showKinds = kinds.length > 1 || chosen.length > 0;
  if (!showKinds && !picture) return null;
  return (
    <div className="refine">
      {showKinds && (
        <div role="group" aria-label={words.kinds} className="chips kinds">
          {kinds.slice(0, mostKinds).map(([category, count]) => (
            <button key={category} type="button" className="chip" aria-pressed={filters.includes(filter("category", category))}
              onClick={() => go({ filters: filters.includes(filter("category", category)) ? others(filters) : [...others(filters), filter("category", category)] })}>
              {naming.kind(category)} <span className="number">{count}</span>
            </button>
          ))}
          {chosen.length > 0 && <button type="button" className="chip ghost" onClick={() => go({ filters: others(filters) })}>{words.allKinds}</button>}
        </div>
      )}
      {picture && (queryColors.length > 0 || colors.length > 1) && (
        <div role="group" aria-label={words.colors} className="chips">
          {main.map(({ name, hex, filter: told }) => (
            <button key={name} type="button" className="chip same" aria-pressed={isOn(name)} onClick={() => withColor(name, told)}>
              <Swatch color={name} hex={hex} />{words.sameColor(name)}
            </button>
          ))}
          {colors.length > 1 && (
            <Popover label={words.inColor} active={filters.some((text) => text.startsWith("color:")) && !main.some(({ name }) => isOn(name))}>
              {(close) => (
                <div className="chips">
                  {colors.map(({ value }) => (
                    <button key={value} type="button" className="chip" aria-pressed={isOn(value)} onClick={() => (close(), withColor(value))}>
                      <Swatch color={value} />{words.thisIn(value)}
                    </button>
                  ))}
                </div>
              )}
            </Popover>
          )}
        </div>
      )}
    </div>
  );
}

const others = (filters: string[]) => filters.filter((text) => !text.startsWith("category:"));

/** The kinds among the results, most first. Once one is chosen the others stay in sight as they were, for the way back. */
function useKinds(place: Place, results: Result[], narrowed: boolean): [string, number][] {
  const key = JSON.stringify([place.terms, place.model, others(place.filters)]);
  const held = useRef<{ key: string; kinds: [string, number][] }>({ key: "", kinds: [] });
  const counts = new Map<string, number>();
  for (const { product } of results) if (product.category) counts.set(product.category, (counts.get(product.category) ?? 0) + 1);
  const now = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (!narrowed) held.current = { key, kinds: now };
  if (!narrowed || held.current.key !== key) return now;
  return held.current.kinds;
}
