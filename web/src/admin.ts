// Changes of the catalogue, for whoever has the admin token. The token goes into a header, never into an address, and is held by the caller alone.

import { ApiError, Facet, Picture, ProductDetail, ask, productPath, root, send } from "./api";

/** What is written of a product. An absent value is none. */
export interface ProductFields {
  title?: string;
  category?: string;
  brand?: string;
  price?: number;
  currency?: string;
  url?: string;
  in_stock?: boolean;
  description?: string;
  attributes?: Record<string, unknown>;
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Asks for no change at all, which only the bearer of the right token is told: for everybody else it is thrown why not. */
export async function checkToken(token: string): Promise<void> {
  try {
    await send(`${root}products/batch`, { method: "POST", headers: { ...bearer(token), "Content-Type": "application/x-ndjson" }, body: "" });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "empty_body")) throw error;
  }
}

/** Puts a product in the place of one with the same id, or beside the others. */
export const putProduct = (token: string, id: string, fields: ProductFields) =>
  ask<ProductDetail>(productPath(id), {
    method: "PUT",
    headers: { ...bearer(token), "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });

export function addPicture(token: string, id: string, picture: { file: Blob; name: string; view?: string; color?: string }): Promise<Picture> {
  const form = new FormData();
  form.append("image", picture.file, picture.name);
  if (picture.view) form.append("view", picture.view);
  if (picture.color) form.append("color", picture.color);
  return ask<Picture>(`${productPath(id)}/images`, { method: "POST", headers: bearer(token), body: form });
}

export const deleteProduct = (token: string, id: string) => send(productPath(id), { method: "DELETE", headers: bearer(token) });

export const deletePicture = (token: string, id: number) => send(`${root}images/${id}`, { method: "DELETE", headers: bearer(token) });

/** What is nearly the same. */
export interface DuplicateReport {
  model: string;
  /** So many pictures were compared. */
  compared: number;
  /** Groups of pictures. */
  duplicates: { score: number; items: { product_id: string; title?: string | null; image: Picture }[] }[];
  /** Pairs of products that share `shared` of the `of` pictures of one of them. */
  products: { product_ids: string[]; shared: number; of: number }[];
}

export const fetchDuplicates = (token: string) => ask<DuplicateReport>(`${root}duplicates`, { headers: bearer(token) });

type Item = DuplicateReport["duplicates"][number]["items"][number];

const keeping = (report: DuplicateReport, stays: (item: Item) => boolean) =>
  report.duplicates.map((group) => ({ ...group, items: group.items.filter(stays) })).filter((group) => group.items.length > 1);

/** What is left once a picture is deleted. How many pictures two products share is known only when it is looked for again. */
export const withoutPicture = (report: DuplicateReport, id: number): DuplicateReport => ({ ...report, duplicates: keeping(report, (item) => item.image.id !== id) });

export const withoutProduct = (report: DuplicateReport, id: string): DuplicateReport => ({
  ...report,
  duplicates: keeping(report, (item) => item.product_id !== id),
  products: report.products.filter((pair) => !pair.product_ids.includes(id)),
});

/** `fit: slim`, one a line; a key may be repeated for several values. */
export function readAttributes(text: string): Record<string, string | string[]> {
  const found: Record<string, string[]> = {};
  for (const line of text.split("\n")) {
    const mark = line.indexOf(":");
    const [key, value] = [line.slice(0, mark).trim(), line.slice(mark + 1).trim()];
    if (mark > 0 && key && value) (found[key] ??= []).push(value);
  }
  return Object.fromEntries(Object.entries(found).map(([key, values]) => [key, values.length === 1 ? values[0]! : values]));
}

export const attributeLines = (attributes: Record<string, unknown> | null | undefined, listed: (value: unknown) => string[]) =>
  Object.entries(attributes ?? {}).flatMap(([key, value]) => listed(value).map((each) => `${key}: ${each}`)).join("\n");

/** A line that is no `key: value`, or null. */
export const badAttribute = (text: string) => text.split("\n").find((line) => line.trim() && !/^[^:]*\S[^:]*:.*\S/.test(line)) ?? null;

export const valuesOf = (facets: Record<string, Facet[]> | null | undefined, key: string) => (facets?.[key] ?? []).map((facet) => facet.value);
