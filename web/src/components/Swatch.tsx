import { swatchesOf } from "../colors";

/** A dot of the colour as it looks on cloth, where its name is known; halves for two colours. */
export function Swatch({ color, hex }: { color: string; hex?: string | null }) {
  const known = swatchesOf(color);
  const [first, second] = known.length > 0 ? known : hex && /^#[0-9a-f]{6}$/i.test(hex) ? [hex] : [];
  if (!first) return null;
  return <span className="swatch" style={{ background: second ? `linear-gradient(135deg, ${first} 50%, ${second} 50%)` : first }} aria-hidden="true" />;
}
