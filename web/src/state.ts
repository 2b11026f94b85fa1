// What the page knows, and how it changes.

import { ApiError, Models, ProductPage, Sample, SearchAnswer } from "./api";
import { Place } from "./address";
import { Format } from "./pictures";

export type Problem =
  /** `format`: what was sent, where the server refused it and only some servers read it. */
  | { kind: "api"; error: ApiError; format?: Format | null }
  | { kind: "notPicture"; name: string }
  | { kind: "noPicture" }
  /** An upload that this browser no longer has. */
  | { kind: "gone" }
  /** The search was given up by the user. */
  | { kind: "cancelled" };

export type Search =
  | { status: "idle" }
  /** The former answer stays in sight, dimmed, until the next one is there. */
  | { status: "busy"; answer: SearchAnswer | null }
  | { status: "done"; answer: SearchAnswer }
  | { status: "failed"; problem: Problem };

export interface State {
  place: Place;
  models: Models | null;
  /** null until they are there; empty where the server has none. */
  samples: Sample[] | null;
  /** What the catalogue is, in the server's words. */
  about: string | null;
  /** The whole catalogue, unfiltered: how much there is and what can be chosen. */
  catalogue: ProductPage | null;
  /** Why the models could not be had. */
  startFailure: ApiError | null;
  search: Search;
  /** A picture that could not be read; the search before it stays. */
  problem: Problem | null;
  preparing: boolean;
  /** Counts up to make everything that failed run again. */
  attempt: number;
}

export type Action =
  | { type: "placed"; place: Place }
  | { type: "models"; models: Models }
  | { type: "samples"; samples: Sample[]; about?: string | null }
  | { type: "catalogue"; catalogue: ProductPage }
  | { type: "startFailed"; error: ApiError }
  | { type: "idle" }
  | { type: "searching" }
  | { type: "found"; answer: SearchAnswer }
  | { type: "failed"; problem: Problem }
  | { type: "preparing" }
  | { type: "unreadable"; problem: Problem }
  | { type: "retry" }
  /** The catalogue was changed from here: what is known of it is asked for anew. */
  | { type: "changed" };

export function initial(place: Place): State {
  return {
    place,
    models: null,
    samples: null,
    about: null,
    catalogue: null,
    startFailure: null,
    search: { status: "idle" },
    problem: null,
    preparing: false,
    attempt: 0,
  };
}

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "placed":
      return { ...state, place: action.place, problem: null, preparing: false };
    case "models":
      return { ...state, models: action.models, startFailure: null };
    case "samples":
      return { ...state, samples: action.samples, about: action.about ?? null };
    case "catalogue":
      return { ...state, catalogue: action.catalogue };
    case "startFailed":
      return { ...state, startFailure: action.error };
    case "idle":
      return { ...state, search: { status: "idle" } };
    case "searching":
      return { ...state, search: { status: "busy", answer: "answer" in state.search ? state.search.answer : null } };
    case "found":
      return { ...state, search: { status: "done", answer: action.answer } };
    case "failed":
      return { ...state, search: { status: "failed", problem: action.problem } };
    case "preparing":
      return { ...state, preparing: true, problem: null };
    case "unreadable":
      return { ...state, preparing: false, problem: action.problem };
    case "retry":
      return { ...state, attempt: state.attempt + 1, problem: null, startFailure: null };
    case "changed":
      return { ...state, attempt: state.attempt + 1, catalogue: null };
  }
}

/** The chosen model's card, or the one that the server would take. */
export function chosenModel(state: State) {
  const list = state.models?.models ?? [];
  const named = (id: string | null | undefined) => list.find((card) => card.id === id);
  return named(state.place.model) ?? named(state.models?.default) ?? list[0] ?? null;
}

/** The trouble that stands in the way, if any. */
export function troubleOf(state: State): Problem | null {
  if (state.startFailure) return { kind: "api", error: state.startFailure };
  return state.search.status === "failed" ? state.search.problem : null;
}
