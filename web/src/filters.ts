// Filters are the server's own words, `key:value` and `price:10..50`: the same list goes into the address and into a search.

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

function bound(text: string): string {
  const number = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(number) && number >= 0 ? String(number) : "";
}
