// Filters are the server's own words, `key:value` and `price:10..50`: the same list goes into the address and into a search.

import { strings } from "./strings";

export const filter = (key: string, value: string) => `${key}:${value}`;

export const inStock = filter("in_stock", "true");

export function parts(text: string): [key: string, value: string] {
  const mark = text.indexOf(":");
  return [text.slice(0, mark), text.slice(mark + 1)];
}

export function cleanFilters(texts: string[]): string[] {
  return [...new Set(texts.filter((text) => text.indexOf(":") > 0 && !text.endsWith(":")))];
}

export function toggled(filters: string[], text: string): string[] {
  return filters.includes(text) ? filters.filter((other) => other !== text) : [...filters, text];
}

export function priceOf(filters: string[]): { from: string; to: string } {
  const found = filters.find((text) => text.startsWith("price:"));
  const [from = "", to = ""] = found ? parts(found)[1].split("..") : [];
  return { from, to };
}

/** The filters with other bounds of the price, in order even when typed the wrong way round; two empty bounds take the filter away. */
export function withPrice(filters: string[], from: string, to: string): string[] {
  const others = filters.filter((text) => !text.startsWith("price:"));
  let [low, high] = [bound(from), bound(to)];
  if (low && high && Number(low) > Number(high)) [low, high] = [high, low];
  return low || high ? [...others, filter("price", `${low}..${high}`)] : others;
}

const amount = String.raw`(?:[€$£]|EUR|USD|GBP)?\s*(\d+(?:[.,]\d{1,2})?)(?:\s*(?:[€$£]|(?:EUR|USD|GBP|euros?|dollars?|pounds?)\b))?(?!\w)`;

/** A typed query without the price that it names: `striped shirt under 40` is a shirt and an upper bound. */
export function readPrice(typed: string): { text: string; price: [from: string, to: string] | null } {
  const { between, upTo, from } = strings.filters.priceWords;
  const find = (pattern: RegExp) => new RegExp(pattern.source.replace(/@/g, amount), "i").exec(typed);
  const found = find(between) ?? find(upTo) ?? find(from);
  if (!found) return { text: typed, price: null };
  const text = (typed.slice(0, found.index) + " " + typed.slice(found.index + found[0]!.length)).replace(/\s+/g, " ").trim();
  const [, first = "", second = ""] = found;
  return { text, price: second ? [first, second] : find(upTo) ? ["", first] : [first, ""] };
}

function bound(text: string): string {
  const number = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(number) && number >= 0 ? String(number) : "";
}
