// The colours of fashion as they look on cloth. A browser's own names mean other colours (its brown is a red), and lack many.

const table: Record<string, string> = {
  black: "#1c1b1c", charcoal: "#3a3d42", anthracite: "#34373b", graphite: "#4b4e53", grey: "#8b8d90", silver: "#c0c3c7", slate: "#5d6a76",
  white: "#fbfaf7", "off-white": "#f3efe4", ivory: "#f4eedd", cream: "#f1e6cc", ecru: "#e6dcc3", eggshell: "#f0e9d8", nude: "#e0bfa6",
  beige: "#d8c4a3", sand: "#d4bd94", stone: "#bdb3a2", oatmeal: "#d9ccb4", taupe: "#8f7f70", khaki: "#8d8259", camel: "#b98850", tan: "#c69a6b",
  cognac: "#9a5528", caramel: "#a9692f", toffee: "#8f5a2e", brown: "#6b4630", chocolate: "#4a2d1f", coffee: "#52382a", mocha: "#7a5c49",
  chestnut: "#733b26", bronze: "#8a6338", copper: "#b3683f", gold: "#c9a24a", rust: "#a8492a", terracotta: "#bf6346", brick: "#98402f",
  red: "#c0272d", scarlet: "#cf2e23", crimson: "#a51c30", cherry: "#a3142c", burgundy: "#6a1b2d", bordeaux: "#5d1626", wine: "#6c1f34",
  maroon: "#5f1a22", oxblood: "#521819", coral: "#f0765f", salmon: "#ee917c", peach: "#f7c09d", apricot: "#f3ab77", orange: "#e8762b",
  tangerine: "#ee8133", amber: "#dd9423", mustard: "#c8981f", ochre: "#bd8529", yellow: "#f2cf3b", lemon: "#f3e36b", saffron: "#e5a924",
  lime: "#b4cf3c", chartreuse: "#bccd42", olive: "#6c6b35", moss: "#6b7440", sage: "#9caa8b", mint: "#a9dcc3", pistachio: "#b5cf95",
  green: "#2f7d4f", emerald: "#12805c", forest: "#254c37", hunter: "#2d5338", "bottle green": "#17402f", jade: "#3d9a78", teal: "#1f6f72",
  petrol: "#175560", turquoise: "#3cb8b2", aqua: "#7ccfd0", cyan: "#38b3cf", "sky blue": "#92c4e6", "baby blue": "#b5d4ea", "powder blue": "#b7cfe0",
  blue: "#2f5fa8", cobalt: "#1d47a5", "royal blue": "#27459f", denim: "#4d6a8f", indigo: "#39427c", navy: "#1f2a44", midnight: "#171d36",
  lavender: "#bfb2dd", lilac: "#c6a6d3", mauve: "#ac8296", violet: "#6c4596", purple: "#63367e", plum: "#5c2a4b", aubergine: "#3f2138",
  grape: "#57305f", fuchsia: "#c92b83", magenta: "#bf2a78", pink: "#eba6b8", rose: "#d9838f", blush: "#eecac4", "hot pink": "#e3468d",
  raspberry: "#a92754", transparent: "#f4f4f4",
};

const aliases: Record<string, string> = {
  gray: "grey", eggplant: "aubergine", claret: "bordeaux", "navy blue": "navy", "dark blue": "navy", "light blue": "sky blue",
  "bottle": "bottle green", "forest green": "forest", "olive green": "olive", "rose pink": "rose", "off white": "off-white", offwhite: "off-white",
};

const plain = (name: string) => name.trim().toLowerCase().replace(/[\s_]+/g, " ");

/** One or two colours of cloth (`black/white`), or none where the name is not known. */
export function swatchesOf(name: string): string[] {
  const parts = plain(name).split(/\s*(?:\/|,|&|\+|\band\b)\s*/).filter(Boolean);
  return parts.map(hexOf).filter((hex): hex is string => hex !== null).slice(0, 2);
}

function hexOf(name: string): string | null {
  const known = table[aliases[name] ?? name];
  if (known) return known;
  // "dark olive", "pale pink", "rust melange": the word that is a colour, made darker or lighter.
  const words = name.split(/[\s-]/);
  for (const word of [...words].reverse()) {
    const hex = table[aliases[word] ?? word];
    if (!hex) continue;
    if (words.some((other) => /^(dark|deep)$/.test(other))) return mixed(hex, 0, 0.35);
    if (words.some((other) => /^(light|pale|pastel|soft)$/.test(other))) return mixed(hex, 255, 0.45);
    return hex;
  }
  return null;
}

function mixed(hex: string, towards: number, share: number): string {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return "#" + parts.map((part) => Math.round(part + (towards - part) * share).toString(16).padStart(2, "0")).join("");
}

/** Whether two names mean one colour. */
export function sameColor(a: string, b: string): boolean {
  const [first, second] = [plain(a), plain(b)];
  return (aliases[first] ?? first) === (aliases[second] ?? second);
}
