import { useEffect, useRef } from "react";
import { LossMap } from "../api";
import { Reason } from "../hooks/insight";
import { strings } from "../strings";
import { Crop } from "../terms";

const words = strings.why;

interface Props {
  reason: Reason;
  query: string;
  crop: Crop | null;
  result: string;
}

/** Both pictures, and over each how much of the score its parts are worth. */
export function Why({ reason, query, crop, result }: Props) {
  return (
    <section className="why" aria-label={words.heading} aria-busy={reason.status === "waiting"}>
      {reason.status === "waiting" && <p role="status"><span className="spinner" aria-hidden="true" />{words.waiting}</p>}
      {reason.status === "failed" && <p role="alert">{reason.error ? reason.error.message || strings.problem.offline : words.gone}</p>}
      {reason.status === "done" && (
        <>
          <p>{words.explanation}</p>
          <div className="pair">
            <Mapped src={query} name={words.query} map={reason.explanation.query} crop={crop} />
            <Mapped src={result} name={words.result} map={reason.explanation.result} crop={null} />
          </div>
        </>
      )}
    </section>
  );
}

function Mapped({ src, name, map, crop }: { src: string; name: string; map: LossMap; crop: Crop | null }) {
  const [x, y, w, h] = crop ?? [0, 0, 1, 1];
  return (
    <figure>
      <div className="mapped">
        <img src={src} alt="" width="300" height="400" />
        <Heat map={map} style={{ left: `${x * 100}%`, top: `${y * 100}%`, width: `${w * 100}%`, height: `${h * 100}%` }} />
      </div>
      <figcaption>{name}. <span className="visually-hidden">{words.most(whereMost(map))}</span></figcaption>
    </figure>
  );
}

/** A pixel a cell, stretched smoothly by the browser. */
function Heat({ map, style }: { map: LossMap; style: React.CSSProperties }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const pixels = context.createImageData(map.columns, map.rows);
    const most = Math.max(...map.values, 1e-9);
    map.values.forEach((value, at) => {
      const share = Math.max(0, value) / most;
      pixels.data.set([214, 60, 20, Math.round(210 * share ** 1.5)], at * 4);
    });
    context.putImageData(pixels, 0, 0);
  }, [map]);
  return <canvas ref={canvas} className="heat" width={map.columns} height={map.rows} style={style} aria-hidden="true" />;
}

function whereMost({ rows, columns, values }: LossMap): string {
  const at = values.indexOf(Math.max(...values));
  const third = (place: number, of: number) => Math.min(2, Math.floor(((place + 0.5) / of) * 3));
  return `${words.rows[third(Math.floor(at / columns), rows)]} ${words.columns[third(at % columns, columns)]}`;
}
