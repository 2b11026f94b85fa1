// The server's answers and how they are asked for. Every address is relative to the document's base, so that a base path works.

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
}

export interface Result {
  rank: number;
  score: number;
  product: Product;
  image: Picture;
}

export interface SearchAnswer {
  model: string;
  results: Result[];
  /** Results with a lower score are no close matches; absent for texts and small catalogues. */
  close_match_score?: number | null;
  /** The text was longer than the model reads, and its end was left out. */
  truncated_text?: boolean | null;
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

/** What is searched with. */
export type SearchBody = { image: Blob; name: string } | { text: string } | { product_id: string } | { image_id: number };

export interface SearchOptions {
  model: string | null;
  topK: number;
  filters: string[];
  minScore: number | null;
}

export type Failure = "offline" | "loading" | "overloaded" | "refused";

/** An answer that is no result: what kind of trouble, and the server's own sentence where it gave one. */
export class ApiError extends Error {
  constructor(readonly failure: Failure, readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

const root = "api/v1/";

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(path, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("refused", 500, "unreadable", "");
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
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

export const fetchModels = (signal?: AbortSignal) => ask<Models>(root + "models", { signal });

export const fetchSamples = async (signal?: AbortSignal) => (await ask<{ samples: Sample[] }>(root + "samples", { signal })).samples;

export function fetchProducts(filters: string[], limit: number, offset: number, signal?: AbortSignal): Promise<ProductPage> {
  const query = new URLSearchParams(filters.map((filter) => ["filter", filter]));
  query.set("limit", String(limit));
  query.set("offset", String(offset));
  return ask<ProductPage>(`${root}products?${query}`, { signal });
}

export const fetchProduct = (id: string, signal?: AbortSignal) =>
  ask<ProductDetail>(`${root}products/${encodeURIComponent(id)}`, { signal });

export async function fetchBlob(path: string, signal?: AbortSignal): Promise<Blob> {
  return (await send(path, { signal })).blob();
}

export function search(body: SearchBody, options: SearchOptions, signal: AbortSignal): Promise<SearchAnswer> {
  if ("product_id" in body || "image_id" in body) {
    const json: Record<string, unknown> = { ...body, top_k: options.topK, filter: options.filters, group_by: "product" };
    if (options.model) json.model = options.model;
    if (options.minScore !== null) json.min_score = options.minScore;
    return ask(root + "search", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(json),
      signal,
    });
  }
  const form = new FormData();
  if (options.model) form.append("model", options.model);
  form.append("top_k", String(options.topK));
  form.append("group_by", "product");
  for (const filter of options.filters) form.append("filter", filter);
  if (options.minScore !== null) form.append("min_score", String(options.minScore));
  if ("text" in body) form.append("text", body.text);
  else form.append("image", body.image, body.name);
  return ask(root + "search", { method: "POST", body: form, signal });
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

export const imagePath = (id: number) => `${root}images/${id}`;
