// What a search is made of: pictures and texts to be like, and to be unlike.

/** A part of a picture, each number a fraction of the whole: left, top, width, height. */
export type Crop = readonly [x: number, y: number, w: number, h: number];

export type Subject =
  | { kind: "upload"; key: string }
  | { kind: "sample"; index: number }
  /** A picture of the catalogue, and the product that it belongs to where that is known. */
  | { kind: "image"; id: number; of?: string }
  | { kind: "product"; id: string }
  | { kind: "text"; text: string };

/** `less` asks for garments unlike the subject; a crop belongs to a picture that is searched with. */
export type Term = Subject & { less?: boolean; crop?: Crop };

export const isPicture = (term: Term) => term.kind !== "text";

/** The first text that is searched with: the one in the text field. */
export function textOf(terms: readonly Term[]): string {
  const term = terms.find((each) => each.kind === "text" && !each.less);
  return term?.kind === "text" ? term.text : "";
}

/** The terms with another text in the field; an empty one takes it away. A stroke before the text asks for less of it. */
export function withText(terms: readonly Term[], typed: string): Term[] {
  const text = typed.trim();
  const less = /^[-−–]\s*\S/.test(text);
  if (less) {
    const unwanted: Term = { kind: "text", text: text.replace(/^[-−–]\s*/, ""), less: true };
    // With nothing to be like there would be nothing to be unlike of.
    return terms.some((term) => !term.less) ? [...terms, unwanted] : [...terms];
  }
  const at = terms.findIndex((term) => term.kind === "text" && !term.less);
  const others = terms.filter((_, index) => index !== at);
  if (!text) return others;
  const term: Term = { kind: "text", text };
  return at < 0 ? [...others, term] : terms.map((other, index) => (index === at ? term : other));
}

/** The terms with pictures in place of one of them, or behind the others. */
export function withPictures(terms: readonly Term[], pictures: readonly Term[], at: number | null): Term[] {
  if (at === null) return [...pictures, ...terms].slice(0, mostTerms);
  return [...terms.slice(0, at), ...pictures, ...terms.slice(at + 1)].slice(0, mostTerms);
}

/** A search takes this many pictures. */
export const mostTerms = 8;

/** Without one of the terms; nothing is left where only unwanted ones would be. */
export function without(terms: readonly Term[], at: number): Term[] {
  const rest = terms.filter((_, index) => index !== at);
  return rest.some((term) => !term.less) ? rest : [];
}

/** Whether a term can be made an unwanted one: something must be left to be like. */
export const canTurn = (terms: readonly Term[], at: number) => terms.some((term, index) => index !== at && !term.less);

export function turned(terms: readonly Term[], at: number): Term[] {
  return terms.map((term, index) => {
    if (index !== at) return term;
    const { less, crop, ...subject } = term;
    return less ? subject : { ...subject, less: true };
  });
}

export function withCrop(terms: readonly Term[], at: number, crop: Crop | null): Term[] {
  return terms.map((term, index) => {
    if (index !== at) return term;
    const { crop: _, ...whole } = term;
    return crop ? { ...whole, crop } : whole;
  });
}

/** Which picture the preview shows: the chosen one, or the first that is searched with. */
export function shownPicture(terms: readonly Term[], chosen: number | null): number | null {
  if (chosen !== null && terms[chosen] && isPicture(terms[chosen]!)) return chosen;
  const first = terms.findIndex((term) => isPicture(term) && !term.less);
  return first < 0 ? null : first;
}

export const cropText = (crop: Crop) => crop.map((part) => Number(part.toFixed(4))).join(",");

export function readCrop(text: string): Crop | null {
  const [x = NaN, y = NaN, w = NaN, h = NaN, ...rest] = text.split(",").map(Number);
  const inside = x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 1.0001 && y + h <= 1.0001;
  return rest.length === 0 && inside ? [x, y, w, h] : null;
}
