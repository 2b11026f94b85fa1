// What the page shows, as it stands in the address bar.

import { cleanFilters } from "./filters";

export type Query =
  | { kind: "none" }
  | { kind: "upload"; key: string }
  | { kind: "sample"; index: number }
  | { kind: "text"; text: string }
  | { kind: "image"; id: number }
  | { kind: "product"; id: string };

/** Everything that leads to what is on the screen. `null` is the server's default. */
export interface Place {
  query: Query;
  model: string | null;
  topK: number;
  filters: string[];
  minScore: number | null;
  /** The product whose dialog is open. */
  show: string | null;
}

export const topKs = [6, 12, 24, 48, 100, 200];
export const defaultTopK = 12;

/** What a history entry holds beside its address: a picture has no place in an address. */
export interface Entry {
  upload?: string;
  /** The dialog was opened from the page, so that going back closes it. */
  opened?: boolean;
}

export function readPlace(search: string, entry: Entry | null): Place {
  const values = new URLSearchParams(search);
  const topK = Number(values.get("k"));
  const minScore = Number(values.get("min"));
  return {
    query: readQuery(values, entry),
    model: values.get("model") || null,
    topK: Number.isInteger(topK) && topK >= 1 && topK <= 200 ? topK : defaultTopK,
    filters: cleanFilters(values.getAll("filter")),
    minScore: values.has("min") && minScore >= -1 && minScore <= 1 ? minScore : null,
    show: values.get("show") || null,
  };
}

function readQuery(values: URLSearchParams, entry: Entry | null): Query {
  if (entry?.upload) return { kind: "upload", key: entry.upload };
  const text = values.get("text")?.trim();
  if (text) return { kind: "text", text };
  const image = values.get("image");
  if (image && /^\d+$/.test(image)) return { kind: "image", id: Number(image) };
  const product = values.get("product");
  if (product) return { kind: "product", id: product };
  const sample = values.get("sample");
  if (sample && /^\d+$/.test(sample)) return { kind: "sample", index: Number(sample) };
  return { kind: "none" };
}

/** The address of a place, relative to the document's base. */
export function addressOf(place: Place): string {
  const values = new URLSearchParams();
  const { query } = place;
  if (query.kind === "text") values.set("text", query.text);
  if (query.kind === "image") values.set("image", String(query.id));
  if (query.kind === "product") values.set("product", query.id);
  if (query.kind === "sample") values.set("sample", String(query.index));
  if (place.model) values.set("model", place.model);
  if (place.topK !== defaultTopK) values.set("k", String(place.topK));
  for (const filter of place.filters) values.append("filter", filter);
  if (place.minScore !== null) values.set("min", String(place.minScore));
  if (place.show) values.set("show", place.show);
  const text = values.toString();
  return text ? `./?${text}` : "./";
}

/** Two places with the same key ask the server for the same search. */
export function searchKey(place: Place): string {
  return JSON.stringify([place.query, place.model, place.topK, place.filters, place.minScore]);
}
