// Numbers and names as people read them.

import { Product } from "./api";
import { strings } from "./strings";

export function price(value: number, currency?: string | null): string {
  if (currency) {
    try {
      return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(value);
    } catch {
      // Not an ISO 4217 code: the catalogue's own word stands behind the number.
      return `${value.toLocaleString()} ${currency}`;
    }
  }
  return value.toLocaleString();
}

export const score = (value: number) => value.toFixed(3);

export const titleOf = (product: Product) => product.title?.trim() || strings.results.untitled;

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function count(value: number): string {
  return value >= 1e6 ? strings.model.millions(value / 1e6) : new Intl.NumberFormat().format(value);
}

/** The values of an attribute: a list, or a text with strokes between them as manifests have it. */
export function listed(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(listed);
  if (typeof value === "object") return [JSON.stringify(value)];
  return String(value).split("|").map((part) => part.trim()).filter(Boolean);
}

export const plain = (value: unknown) => listed(value).join(", ");

export const label = (key: string) => (key.charAt(0).toUpperCase() + key.slice(1)).replace(/_/g, " ");
