import { KeyboardEvent, PointerEvent, ReactNode, useEffect, useId, useRef, useState } from "react";
import { strings } from "../strings";
import { Crop } from "../terms";

const words = strings.crop;
/** A box smaller than this part of a side is a slip of the hand. */
const least = 0.05;
const step = 0.02;
const corners = ["nw", "ne", "sw", "se"] as const;

type Grip = "draw" | "move" | typeof corners[number];

interface Props {
  src: string;
  alt: string;
  crop: Crop | null;
  /** Called when the hand is lifted, or the keys have rested. */
  onCrop: (crop: Crop | null) => void;
  /** What lies over the picture. */
  children?: ReactNode;
}

/** A picture, and the part of it that is searched with: drawn, moved and sized by mouse, touch and keyboard. */
export function CropBox({ src, alt, crop, onCrop, children }: Props) {
  const [box, setBox] = useState<Crop | null>(crop);
  const place = useRef<HTMLDivElement>(null);
  const grip = useRef<{ grip: Grip; x: number; y: number; from: Crop | null } | null>(null);
  const latest = useRef(box);
  const resting = useRef(0);
  const id = useId();
  const key = crop?.join() ?? "";
  const set = (next: Crop | null) => setBox((latest.current = next));
  useEffect(() => set(crop), [key]);
  useEffect(() => () => clearTimeout(resting.current), []);

  const at = (event: PointerEvent) => {
    const { left, top, width, height } = place.current!.getBoundingClientRect();
    return { x: within((event.clientX - left) / width, 0, 1), y: within((event.clientY - top) / height, 0, 1) };
  };
  const begin = (event: PointerEvent, how: Grip) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    place.current!.setPointerCapture(event.pointerId);
    grip.current = { grip: how, ...at(event), from: latest.current };
  };
  const move = (event: PointerEvent) => {
    const held = grip.current;
    if (!held) return;
    const { x, y } = at(event);
    if (held.grip === "draw" || !held.from) set(between(held.x, held.y, x, y));
    else if (held.grip === "move") set(moved(held.from, x - held.x, y - held.y));
    else {
      const [left, top, w, h] = held.from;
      // The corner across stays where it is.
      set(between(held.grip.includes("w") ? left + w : left, held.grip.includes("n") ? top + h : top, x, y));
    }
  };
  const end = () => {
    const held = grip.current;
    if (!held) return;
    grip.current = null;
    const now = latest.current;
    if (now && (now[2] < least || now[3] < least)) set(held.from);
    else if (now?.join() !== (crop?.join() ?? "")) onCrop(now);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape" && latest.current) {
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(resting.current);
      set(null);
      onCrop(null);
      return;
    }
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!direction) return;
    event.preventDefault();
    const [dx, dy] = [direction[0]! * step, direction[1]! * step];
    // The first key makes a box to work with.
    const now = latest.current ?? ([0.1, 0.1, 0.8, 0.8] as const);
    set(event.shiftKey ? grown(now, dx, dy) : moved(now, dx, dy));
    clearTimeout(resting.current);
    resting.current = window.setTimeout(() => onCrop(latest.current), 600);
  };
  const edges = box && { left: `${box[0] * 100}%`, top: `${box[1] * 100}%`, width: `${box[2] * 100}%`, height: `${box[3] * 100}%` };
  return (
    <div className="cropping" ref={place} onPointerDown={(event) => begin(event, "draw")} onPointerMove={move} onPointerUp={end} onPointerCancel={end}>
      <img src={src} alt={alt} draggable={false} width="300" height="400" />
      <div className={box ? "crop" : "crop whole"} style={edges ?? undefined} tabIndex={0} role="application" aria-label={words.label} aria-describedby={`${id}-help`}
        onKeyDown={keys} onPointerDown={(event) => box && begin(event, "move")}>
        {box && corners.map((corner) => <span key={corner} className={`corner ${corner}`} onPointerDown={(event) => begin(event, corner)} />)}
      </div>
      {children}
      <p className="visually-hidden" id={`${id}-help`}>{words.help}</p>
      <p className="visually-hidden" role="status">{box ? words.part(...box) : words.isWhole}</p>
    </div>
  );
}

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

const between = (x: number, y: number, u: number, v: number): Crop => [Math.min(x, u), Math.min(y, v), Math.abs(u - x), Math.abs(v - y)];

const moved = ([x, y, w, h]: Crop, dx: number, dy: number): Crop => [within(x + dx, 0, 1 - w), within(y + dy, 0, 1 - h), w, h];

function grown([x, y, w, h]: Crop, dx: number, dy: number): Crop {
  return [x, y, within(w + dx, least, 1 - x), within(h + dy, least, 1 - y)];
}
