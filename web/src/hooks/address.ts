// The place on the screen and the address bar, changed together.

import { Dispatch, useCallback, useEffect, useRef } from "react";
import { Entry, Place, addressOf, readPlace } from "../address";
import { Action } from "../state";

export type Go = (change: Partial<Place>, how?: { opened?: boolean; replace?: boolean }) => void;

/** Changes the place and the address bar together; back and forward change the place. */
export function useAddress(place: Place, dispatch: Dispatch<Action>): Go {
  const current = useRef(place);
  current.current = place;
  useEffect(() => {
    const returned = () => dispatch({ type: "placed", place: readPlace(location.search) });
    addEventListener("popstate", returned);
    return () => removeEventListener("popstate", returned);
  }, [dispatch]);
  return useCallback(
    (change, how = {}) => {
      const next = { ...current.current, ...change };
      const entry: Entry = how.opened ? { opened: true } : {};
      const same = JSON.stringify(next) === JSON.stringify(current.current);
      if (how.replace || same) history.replaceState(entry, "", addressOf(next));
      else history.pushState(entry, "", addressOf(next));
      current.current = next;
      dispatch({ type: "placed", place: next });
      if (same) dispatch({ type: "retry" });
    },
    [dispatch]
  );
}
