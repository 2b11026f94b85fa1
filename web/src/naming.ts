// How categories, models and metrics are called on the page.

import { createContext } from "react";
import { ModelCard } from "./api";
import { strings } from "./strings";

export interface Naming {
  /** `Tops / Shirts`, without what all categories begin with. */
  category(text: string): string;
  /** `Shirts`, where no other category ends like this. */
  kind(text: string): string;
}

export function namingOf(categories: string[]): Naming {
  const paths = categories.map((text) => text.split("/"));
  let shared = 0;
  // The last part is never shared: it is the name.
  while (paths.length > 1 && paths.every((path) => path.length > shared + 1 && path[shared] === paths[0]![shared])) shared += 1;
  const category = (text: string) => {
    const path = text.split("/");
    const begins = paths.length > 0 && path.length > shared && path.slice(0, shared).every((part, at) => part === paths[0]![at]);
    return path.slice(begins ? shared : 0).join(" / ");
  };
  const leaf = (path: string[]) => path[path.length - 1]!;
  return {
    category,
    kind: (text) => {
      const name = leaf(text.split("/"));
      return paths.filter((path) => leaf(path) === name).length > 1 ? category(text) : name;
    },
  };
}

export const NamingContext = createContext<Naming>(namingOf([]));

const words = strings.model;
const smallBelow = 20e6;

/** `ResNet (small)` for `RN-32x2.2.2.2`: the family, and the size that its name stands for. */
export function architectureName(card: ModelCard): string {
  const text = card.architecture;
  const small = (card.parameters ?? Infinity) < smallBelow;
  const family = (name: string) => (small ? words.small(name) : name);
  let found: RegExpExecArray | null;
  if ((found = /^RN(\d+)(?:x(\d+))?(.*)$/i.exec(text))) return `ResNet-${found[1]}${found[2] ? ` ×${found[2]}` : ""}${found[3] ?? ""}`;
  if (/^RN-/i.test(text)) return family("ResNet");
  if ((found = /^ViT-?([SBLHg])[-/](\d+)(.*)$/i.exec(text))) return `ViT-${found[1]}/${found[2]}${(found[3] ?? "").replace(/^-/, " ")}`;
  if (/^ViT-/i.test(text)) return family("ViT");
  if ((found = /efficientnet[_-]?(.*)$/i.exec(text))) {
    const kind = (found[1] ?? "").replace(/_/g, " ").replace(/^lite(\d)/, "Lite$1").replace(/^b(\d)/, "B$1");
    return family(`EfficientNet${kind ? `-${kind}` : ""}`);
  }
  return text;
}

/** The variant without the words that its architecture repeats: `Stage 3, v1` for `small-vit-stage3-v1`. */
export function variantName(card: ModelCard, among: ModelCard[]): string {
  const name = (model: ModelCard) => {
    const text = (model.variant || model.id).replace(/^small[-_](?:resnet|vit|efficientnet)(?:[-_]|$)/i, "");
    const staged = /^stage[-_]?(\d+)(?:[-_](.*))?$/i.exec(text);
    if (staged) return [`${words.rows.stage} ${staged[1]}`, staged[2]].filter(Boolean).join(", ");
    const told = text.replace(/[-_]/g, " ").trim();
    return told ? told.charAt(0).toUpperCase() + told.slice(1) : words.base;
  };
  const own = name(card);
  const same = among.filter((other) => name(other) === own);
  if (same.length < 2) return own;
  return `${own} · ${card.stage != null ? `${words.rows.stage} ${card.stage}` : card.id}`;
}

/** A model by one name among all: the architecture, and the variant where there are several. */
export function modelName(card: ModelCard, all: ModelCard[]): string {
  const variants = all.filter((other) => other.architecture === card.architecture);
  const architecture = architectureName(card);
  return variants.length > 1 ? `${architecture} · ${variantName(card, variants)}` : architecture;
}

/** `mAP, same garment, data set 1` for `map_product_id_1`. */
export function metricName(key: string): string {
  if (key === "score") return words.metrics.score;
  const text = /^text_(.+)_at_(\d+)(?:_(\d+))?$/.exec(key);
  const map = /^map_(.+?)(?:_(\d+))?$/.exec(key);
  const of = (column: string) => words.metrics.columns[column] ?? column.replace(/_/g, " ");
  const set = (number: string | undefined) => (number ? words.metrics.set(number) : null);
  if (text) return [words.metrics.text(of(text[1]!), text[2]!), set(text[3])].filter(Boolean).join(", ");
  if (map) return [words.metrics.map, words.metrics.same(of(map[1]!)), set(map[2])].filter(Boolean).join(", ");
  return key.replace(/_/g, " ");
}
