// Results as a table that spreadsheets open.

import { Result } from "./api";

const columns: [string, (result: Result) => string | number | null | undefined][] = [
  ["rank", (result) => result.rank],
  ["score", (result) => result.score.toFixed(4)],
  ["product_id", (result) => result.product.id],
  ["title", (result) => result.product.title],
  ["category", (result) => result.product.category],
  ["brand", (result) => result.product.brand],
  ["price", (result) => result.product.price],
  ["currency", (result) => result.product.currency],
  ["url", (result) => result.product.url],
  ["image", (result) => new URL(result.image.path, location.href).href],
];

/** A cell between quotes. What a spreadsheet would take for a formula is written as a text: titles come from whoever fills the catalogue. */
function cell(value: string | number | null | undefined): string {
  const text = value == null ? "" : String(value);
  const plain = typeof value === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replace(/"/g, "\"\"")}"` : plain;
}

/** CSV as RFC 4180 has it, with the mark at its beginning by which spreadsheets know UTF-8. */
export function tableOf(results: Result[]): string {
  const lines = [columns.map(([name]) => name), ...results.map((result) => columns.map(([, value]) => cell(value(result))))];
  return "\uFEFF" + lines.map((line) => line.join(",") + "\r\n").join("");
}

/** Hands the browser a file to save. */
export function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  // The browser reads the address while it begins to save.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
