// The server's answers and how they are asked for. Every address is relative to the document's base, so that a base path works.

import { Crop, cropText, readCrop } from "./terms";

export interface Picture {
  id: number;
  path: string;
  view?: string | null;
  color?: string | null;
  caption?: string | null;
}

export interface Product {
  id: string;
  title?: string | null;
  category?: string | null;
  brand?: string | null;
  price?: number | null;
  currency?: string | null;
  in_stock?: boolean | null;
  url?: string | null;
  /** The colours of its pictures. */
  colors?: string[] | null;
}

export interface Result {
  rank: number;
  score: number;
  product: Product;
  image: Picture;
  /** Which words of the text the product has, where a text was asked. */
  words?: { rank?: number | null; matched?: string[] | null } | null;
}

/** What the index of words found in it: nothing where a result was found by its looks alone. */
export const matchedOf = (result: Result): string[] => result.words?.matched ?? [];

export interface QueryColor {
  name: string;
  hex?: string | null;
  share?: number | null;
  /** What narrows the search to it, where the catalogue has the colour. */
  filter?: string | null;
}

export interface SearchAnswer {
  model: string;
  results: Result[];
  /** Results with a lower score are no close matches; absent for texts and small catalogues. */
  close_match_score?: number | null;
  /** The text was longer than the model reads, and its end was left out; beside it how many tokens it has, and how many were read. */
  truncated_text?: boolean | null;
  text_tokens?: number | null;
  text_tokens_read?: number | null;
  /** Words of the text that no product has. */
  unknown_words?: string[] | null;
  /** The dominant colours of the picture that was sent. */
  query_colors?: QueryColor[] | null;
  timing_ms?: Record<string, number>;
}

export interface ModelCard {
  id: string;
  architecture: string;
  variant?: string | null;
  stage?: string | number | null;
  embedding_size?: number | null;
  parameters?: number | null;
  takes_text?: boolean | null;
  images?: number | null;
  preprocessing?: {
    side?: number | null;
    fitting?: string | null;
    filter?: string | null;
    mean?: number[] | null;
    std?: number[] | null;
  } | null;
  fingerprint?: string | null;
  training?: Training | null;
}

export interface Training {
  recipe?: string | null;
  epoch?: number | null;
  epochs?: number | null;
  step?: number | null;
  steps?: number | null;
  photos?: number | null;
  seconds?: number | null;
  learning_rate?: number | null;
  optimizer?: string | null;
  weight_decay?: number | null;
  batch?: string | number | null;
  loss?: { name: string; weight?: number | null }[] | null;
  temperature?: number | null;
  validation?: Record<string, number> | null;
  captions?: string[] | null;
  /** What the weights were worth on the validation rows, epoch by epoch. */
  curve?: CurvePoint[] | null;
}

export interface CurvePoint {
  epoch: number;
  score: number;
}

export interface Models {
  models: ModelCard[];
  default?: string | null;
}

export interface Facet {
  value: string;
  count: number;
}

export interface ListedProduct extends Product {
  image?: Picture | null;
}

export interface ProductPage {
  total: number;
  products: ListedProduct[];
  facets?: Record<string, Facet[]> | null;
}

export interface ProductDetail extends Product {
  description?: string | null;
  attributes?: Record<string, unknown> | null;
  images: Picture[];
}

export interface Sample {
  title?: string | null;
  path: string;
}

export interface Suggestion {
  text: string;
  /** `category`, `brand`, `product`, the key of an attribute, or `several`: values of different keys together. */
  kind: string;
  count?: number | null;
  /** What narrows a search to it; none for a product. Servers of before have one `filter`. */
  filters?: string[] | null;
  filter?: string | null;
  product_id?: string | null;
}

export const filtersOf = ({ filters, filter }: Suggestion): string[] => filters ?? (filter ? [filter] : []);

/** One part of what is searched with. */
export type Asked = ({ file: Blob; name: string } | { text: string } | { product_id: string } | { image_id: number }) & {
  less?: boolean;
  crop?: Crop;
};

export interface SearchOptions {
  model: string | null;
  topK: number;
  sort: string;
  filters: string[];
  minScore: number | null;
  liked: string[];
  disliked: string[];
}

export type Failure = "offline" | "loading" | "overloaded" | "refused";

/** An answer that is no result: what kind of trouble, and the server's own sentence where it gave one. */
export class ApiError extends Error {
  constructor(readonly failure: Failure, readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

export const root = "api/v1/";

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(path, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("refused", 500, "unreadable", "");
  }
}

export async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("offline", 0, "offline", "");
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  let code = "";
  let message = "";
  try {
    const body = (await response.json()) as { error?: { code?: string; message?: string } };
    code = body.error?.code ?? "";
    message = body.error?.message ?? "";
  } catch {
    // A proxy's error page is no JSON; the status says enough.
  }
  const unavailable = response.status === 502 || response.status === 503 || response.status === 504;
  const failure: Failure = code === "loading" ? "loading" : unavailable ? "overloaded" : "refused";
  return new ApiError(failure, response.status, code, message);
}

export const isAbort = (error: unknown) => error instanceof DOMException && error.name === "AbortError";

export const apiError = (error: unknown) => (error instanceof ApiError ? error : new ApiError("refused", 500, "page", String(error)));

export const fetchModels = (signal?: AbortSignal) => ask<Models>(root + "models", { signal });

/** Pictures to try, and what they and the catalogue are, in a sentence, where the server says it. */
export interface Samples {
  samples: Sample[];
  about?: string | null;
}

export const fetchSamples = (signal?: AbortSignal) => ask<Samples>(root + "samples", { signal });

/** Which products are listed. */
export interface Listing {
  filters?: string[];
  /** Words, each perhaps unfinished, or the beginning of an ID; the best match comes first. */
  q?: string;
  /** Also those without a usable picture, which have no `image`; not with filters, and without facets. */
  pictures?: "any";
}

export function fetchProducts({ filters = [], q, pictures }: Listing, limit: number, offset: number, signal?: AbortSignal): Promise<ProductPage> {
  const query = new URLSearchParams(filters.map((filter) => ["filter", filter]));
  if (q) query.set("q", q);
  if (pictures) query.set("pictures", pictures);
  query.set("limit", String(limit));
  query.set("offset", String(offset));
  return ask<ProductPage>(`${root}products?${query}`, { signal });
}

export const productPath = (id: string) => `${root}products/${encodeURIComponent(id)}`;

export const fetchProduct = (id: string, signal?: AbortSignal) => ask<ProductDetail>(productPath(id), { signal });

export async function fetchBlob(path: string, signal?: AbortSignal): Promise<Blob> {
  return (await send(path, { signal })).blob();
}

export async function fetchSuggestions(q: string, signal: AbortSignal): Promise<Suggestion[]> {
  const query = new URLSearchParams({ q, limit: "8" });
  return (await ask<{ suggestions: Suggestion[] }>(`${root}suggest?${query}`, { signal })).suggestions;
}

export function search(asked: Asked[], options: SearchOptions, signal: AbortSignal): Promise<SearchAnswer> {
  const form = new FormData();
  for (const each of asked) {
    const not = each.less ? "not_" : "";
    if ("file" in each) form.append(`${not}image`, each.file, each.name);
    else if ("text" in each) form.append(`${not}text`, each.text);
    else if ("product_id" in each) form.append(`${not}product_id`, each.product_id);
    else form.append(`${not}image_id`, String(each.image_id));
  }
  for (const crop of cropsOf(asked)) form.append("crop", crop);
  for (const id of options.liked) form.append("liked", id);
  for (const id of options.disliked) form.append("disliked", id);
  if (options.model) form.append("model", options.model);
  form.append("top_k", String(options.topK));
  form.append("group_by", "product");
  if (options.sort !== "relevance") form.append("sort", options.sort);
  for (const filter of options.filters) form.append("filter", filter);
  if (options.minScore !== null) form.append("min_score", String(options.minScore));
  return ask(root + "search", { method: "POST", body: form, signal });
}

/** One for each uploaded picture, then for each of the catalogue's, an empty one for a whole picture; those at the end are left out. */
function cropsOf(asked: Asked[]): string[] {
  const wanted = asked.filter((each) => !each.less);
  const inOrder = [...wanted.filter((each) => "file" in each), ...wanted.filter((each) => "image_id" in each)];
  const crops = inOrder.map(({ crop }) => (crop ? cropText(crop) : ""));
  while (crops.length > 0 && crops[crops.length - 1] === "") crops.pop();
  return crops;
}

/** A part of a picture that may be a garment, and what resembles it. */
export interface Region {
  crop: Crop;
  category: string | null;
}

export async function fetchRegions(file: Blob, name: string, model: string | null, signal: AbortSignal): Promise<Region[]> {
  const form = new FormData();
  form.append("image", file, name);
  if (model) form.append("model", model);
  const { regions } = await ask<{ regions: { crop: string; category?: string | null }[] }>(root + "regions", { method: "POST", body: form, signal });
  return regions.flatMap(({ crop, category }) => {
    const part = readCrop(crop);
    return part ? [{ crop: part, category: category ?? null }] : [];
  });
}

/** What the score of two pictures loses where a cell is covered, row by row. */
export interface LossMap {
  rows: number;
  columns: number;
  values: number[];
}

export interface Explanation {
  score: number;
  query: LossMap;
  result: LossMap;
}

/** Why a picture of the catalogue is a result of a query picture. */
export function explain(asked: { file: Blob; name: string } | { image_id: number }, crop: Crop | null, image: number, model: string | null, signal: AbortSignal): Promise<Explanation> {
  const form = new FormData();
  if ("file" in asked) form.append("image", asked.file, asked.name);
  else form.append("image_id", String(asked.image_id));
  if (crop) form.append("crop", cropText(crop));
  form.append("result_image_id", String(image));
  if (model) form.append("model", model);
  return ask(root + "explain", { method: "POST", body: form, signal });
}

/** Whether the server can answer searches. */
export async function isReady(signal?: AbortSignal): Promise<boolean> {
  try {
    return (await fetch("readyz", { signal, cache: "no-store" })).ok;
  } catch (error) {
    if (isAbort(error)) throw error;
    return false;
  }
}

/** The widths that the server makes; any other would be refused. */
export type Width = 160 | 320 | 640 | 1280;

export const sized = (path: string, width: Width) => `${path}${path.includes("?") ? "&" : "?"}w=${width}`;

/** The pictures of several widths for a browser to choose from. */
export const widths = (path: string, ...of: Width[]) => of.map((width) => `${sized(path, width)} ${width}w`).join(", ");

export const imagePath = (id: number) => `${root}images/${id}`;

export const samplePath = (index: number) => `${root}samples/${index}`;
