/** A dot of the colour, where the browser knows its name. */
export function Swatch({ color }: { color: string }) {
  const name = color.toLowerCase().replace(/[\s_-]/g, "");
  return CSS.supports("color", name) ? <span className="swatch" style={{ backgroundColor: name }} aria-hidden="true" /> : null;
}
