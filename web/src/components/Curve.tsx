import { CurvePoint } from "../api";
import { strings } from "../strings";

const words = strings.model.curve;
/** In units of the drawing, which is about as wide as a drawer. */
const [width, height] = [320, 140];
const edge = { left: 40, right: 8, top: 26, bottom: 24 };

/** How the validation score went from epoch to epoch, with a ring around the best. Two points at least make a line. */
export function Curve({ of }: { of: CurvePoint[] }) {
  const points = of.filter(({ score }) => Number.isFinite(score)).sort((a, b) => a.epoch - b.epoch);
  const [first, last] = [points[0], points[points.length - 1]];
  if (!first || !last || first.epoch === last.epoch) return null;
  const best = points.reduce((best, point) => (point.score > best.score ? point : best), first);
  const least = Math.min(...points.map((point) => point.score));
  const range = best.score - least;
  const x = (epoch: number) => edge.left + ((epoch - first.epoch) / (last.epoch - first.epoch)) * (width - edge.left - edge.right);
  // Scores that never change are a line in the middle.
  const y = (score: number) => edge.top + (range > 0 ? (best.score - score) / range : 0.5) * (height - edge.top - edge.bottom);
  const place = (x(best.epoch) - edge.left) / (width - edge.left - edge.right);
  // A name in the middle of the ring would leave the drawing at its ends.
  const anchor = place < 0.15 ? "start" : place > 0.85 ? "end" : "middle";
  return (
    <figure className="curve">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words.told(first, best, last)}>
        {[...new Set([best.score, least])].map((score) => (
          <g key={score}>
            <line className="level" x1={edge.left} x2={width - edge.right} y1={y(score)} y2={y(score)} />
            <text x={edge.left - 6} y={y(score) + 4} textAnchor="end">{score.toFixed(3)}</text>
          </g>
        ))}
        <polyline points={points.map(({ epoch, score }) => `${x(epoch).toFixed(1)},${y(score).toFixed(1)}`).join(" ")} />
        <circle cx={x(best.epoch)} cy={y(best.score)} r="4" />
        <text x={x(best.epoch) + { start: -4, middle: 0, end: 4 }[anchor]} y={y(best.score) - 11} textAnchor={anchor} className="best">{words.best(best.epoch)}</text>
        <text x={edge.left} y={height - 4}>{words.epoch(first.epoch)}</text>
        <text x={width - edge.right} y={height - 4} textAnchor="end">{words.epoch(last.epoch)}</text>
      </svg>
      <figcaption className="hint">{words.caption}</figcaption>
    </figure>
  );
}
