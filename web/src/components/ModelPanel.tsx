import { ModelCard } from "../api";
import { topKs } from "../address";
import { Go } from "../hooks/address";
import { architectureName, variantName } from "../naming";
import { strings } from "../strings";
import { ModelDetails } from "./ModelDetails";

const words = strings.model;

interface Props {
  models: ModelCard[];
  card: ModelCard | null;
  topK: number;
  go: Go;
  /** To the view of all models, where there is a query for them. */
  onCompare: (() => void) | null;
}

/** Which model searches, how many results it gives, and what it is. A menu with a single entry is none. */
export function ModelPanel({ models, card, topK, go, onCompare }: Props) {
  if (!card) return <p className="hint">{words.loading}</p>;
  const architectures = models.filter((model, at) => models.findIndex((other) => other.architecture === model.architecture) === at);
  const variants = models.filter((model) => model.architecture === card.architecture);
  const counts = topKs.includes(topK) ? topKs : [...topKs, topK].sort((a, b) => a - b);
  return (
    <div className="model">
      <div className="selects">
        {architectures.length > 1 && (
          <label>
            <span>{words.architecture}</span>
            <select value={card.architecture} onChange={(event) => {
              const first = models.find((model) => model.architecture === event.target.value);
              if (first) go({ model: first.id });
            }}>
              {architectures.map((model) => <option key={model.architecture} value={model.architecture}>{architectureName(model)}</option>)}
            </select>
          </label>
        )}
        {variants.length > 1 && (
          <label>
            <span>{words.variant}</span>
            <select value={card.id} onChange={(event) => go({ model: event.target.value })}>
              {variants.map((model) => <option key={model.id} value={model.id}>{variantName(model, variants)}</option>)}
            </select>
          </label>
        )}
        <label className="count">
          <span>{words.topK}</span>
          <select value={topK} onChange={(event) => go({ topK: Number(event.target.value) })}>
            {counts.map((count) => <option key={count}>{count}</option>)}
          </select>
        </label>
      </div>
      {onCompare && <button type="button" className="secondary small" onClick={onCompare}>{strings.compare.open}</button>}
      <h3 className="overline">{words.about}</h3>
      <ModelDetails card={card} />
    </div>
  );
}
