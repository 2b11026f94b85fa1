// What the page shows, as it stands in the address bar.

import { cleanFilters } from "./filters";
import { Term, cropText, mostTerms, readCrop } from "./terms";

export const sorts = ["relevance", "price", "-price", "newest", "stock"] as const;
export type Sort = typeof sorts[number];

export const views = ["search", "compare", "manage"] as const;
export type View = typeof views[number];

/** Everything that leads to what is on the screen. `null` is the server's default. */
export interface Place {
  terms: Term[];
  /** Products that the answer is refined by. */
  liked: string[];
  disliked: string[];
  model: string | null;
  topK: number;
  sort: Sort;
  filters: string[];
  minScore: number | null;
  view: View;
  /** The product whose dialog is open, and the picture that it opens on. */
  show: string | null;
  picture: number | null;
}

export const topKs = [6, 12, 24, 48, 100, 200];
export const defaultTopK = 12;

/** What a history entry holds beside its address. */
export interface Entry {
  /** The dialog was opened from the page, so that going back closes it. */
  opened?: boolean;
}

export function readPlace(search: string): Place {
  const values = new URLSearchParams(search);
  const topK = Number(values.get("k"));
  const minScore = Number(values.get("min"));
  return {
    terms: readTerms(values),
    liked: values.getAll("liked").filter(Boolean),
    disliked: values.getAll("disliked").filter(Boolean),
    model: values.get("model") || null,
    topK: Number.isInteger(topK) && topK >= 1 && topK <= 200 ? topK : defaultTopK,
    sort: sorts.find((sort) => sort === values.get("sort")) ?? "relevance",
    filters: cleanFilters(values.getAll("filter")),
    minScore: values.has("min") && minScore >= -1 && minScore <= 1 ? minScore : null,
    view: views.find((view) => view === values.get("view")) ?? "search",
    show: values.get("show") || null,
    picture: whole(values.get("picture")),
  };
}

/** Terms keep their order; `crop` and `of` belong to the term before them. */
function readTerms(values: URLSearchParams): Term[] {
  const terms: Term[] = [];
  values.forEach((value, key) => {
    const last = terms[terms.length - 1];
    if (key === "crop" && last && last.kind !== "text" && !last.less) {
      const crop = readCrop(value);
      if (crop) last.crop = crop;
    } else if (key === "of" && last?.kind === "image" && value) {
      last.of = value;
    } else {
      const term = readTerm(key.replace(/^not_/, ""), value);
      if (term) terms.push(key.startsWith("not_") ? { ...term, less: true } : term);
    }
  });
  return terms.some((term) => !term.less) ? terms.slice(0, mostTerms) : [];
}

function readTerm(kind: string, value: string): Term | null {
  const number = whole(value);
  switch (kind) {
    case "text":
      return value.trim() ? { kind, text: value.trim() } : null;
    case "upload":
      return value ? { kind, key: value } : null;
    case "product":
      return value ? { kind, id: value } : null;
    case "image":
      return number === null ? null : { kind, id: number };
    case "sample":
      return number === null ? null : { kind, index: number };
    default:
      return null;
  }
}

const whole = (text: string | null) => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null);

/** The address of a place, relative to the document's base. */
export function addressOf(place: Place): string {
  const values = new URLSearchParams();
  for (const term of place.terms) {
    values.append(term.less ? `not_${term.kind}` : term.kind, told(term));
    if (term.kind === "image" && term.of) values.append("of", term.of);
    if (term.crop) values.append("crop", cropText(term.crop));
  }
  for (const id of place.liked) values.append("liked", id);
  for (const id of place.disliked) values.append("disliked", id);
  if (place.view !== "search") values.set("view", place.view);
  if (place.model) values.set("model", place.model);
  if (place.topK !== defaultTopK) values.set("k", String(place.topK));
  if (place.sort !== "relevance") values.set("sort", place.sort);
  for (const filter of place.filters) values.append("filter", filter);
  if (place.minScore !== null) values.set("min", String(place.minScore));
  if (place.show) values.set("show", place.show);
  if (place.show && place.picture !== null) values.set("picture", String(place.picture));
  const text = values.toString();
  return text ? `./?${text}` : "./";
}

function told(term: Term): string {
  switch (term.kind) {
    case "text":
      return term.text;
    case "upload":
      return term.key;
    case "sample":
      return String(term.index);
    case "image":
    case "product":
      return String(term.id);
  }
}

/** Two places with the same key ask the server for the same search. */
export function searchKey(place: Place): string {
  const { terms, liked, disliked, model, topK, sort, filters, minScore } = place;
  return JSON.stringify([terms, liked, disliked, model, topK, sort, filters, minScore]);
}

/** What a new query leaves behind: judgements of the former answer. */
export const fresh = { liked: [] as string[], disliked: [] as string[], show: null, picture: null, view: "search" as View };
