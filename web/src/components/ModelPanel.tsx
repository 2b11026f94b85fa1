import { ModelCard } from "../api";
import { topKs } from "../address";
import { Go } from "../hooks";
import { strings } from "../strings";
import { Disclosure, wide } from "./Disclosure";
import { ModelDetails } from "./ModelDetails";

const words = strings.model;

/** Which model searches, how many results it gives, and what it is. */
export function ModelPanel({ models, card, topK, go }: { models: ModelCard[]; card: ModelCard | null; topK: number; go: Go }) {
  const architectures = [...new Set(models.map((model) => model.architecture))];
  const variants = models.filter((model) => model.architecture === card?.architecture);
  const counts = topKs.includes(topK) ? topKs : [...topKs, topK].sort((a, b) => a - b);
  return (
    <section className="model" aria-label={words.heading}>
      <Disclosure section title={words.heading} note={card ? card.variant || card.id : undefined} open={wide}>
        {card ? (
          <div className="selects">
            <label>
              <span>{words.architecture}</span>
              <select value={card.architecture} onChange={(event) => {
                const first = models.find((model) => model.architecture === event.target.value);
                if (first) go({ model: first.id });
              }}>
                {architectures.map((name) => <option key={name}>{name}</option>)}
              </select>
            </label>
            <label>
              <span>{words.variant}</span>
              <select value={card.id} onChange={(event) => go({ model: event.target.value })}>
                {variants.map((model) => <option key={model.id} value={model.id}>{variantName(model, variants)}</option>)}
              </select>
            </label>
            <label className="count">
              <span>{words.topK}</span>
              <select value={topK} onChange={(event) => go({ topK: Number(event.target.value) })}>
                {counts.map((count) => <option key={count}>{count}</option>)}
              </select>
            </label>
          </div>
        ) : (
          <p className="hint">{words.loading}</p>
        )}
        {card && (
          <Disclosure title={words.about}>
            <ModelDetails card={card} />
          </Disclosure>
        )}
      </Disclosure>
    </section>
  );
}

/** The variant, with what tells it from another of the same name. */
function variantName(model: ModelCard, among: ModelCard[]): string {
  const variant = model.variant || model.id;
  const same = among.filter((other) => (other.variant || other.id) === variant);
  if (same.length < 2) return variant;
  return `${variant} · ${model.stage != null ? `${words.rows.stage} ${model.stage}` : model.id}`;
}
