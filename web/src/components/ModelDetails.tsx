import { ReactNode, useState } from "react";
import { ModelCard } from "../api";
import { count, duration } from "../format";
import { metricName } from "../naming";
import { strings } from "../strings";
import { Curve } from "./Curve";
import { Icon } from "./Icon";

const words = strings.model;

/** All that the checkpoint says about itself. */
export function ModelDetails({ card }: { card: ModelCard }) {
  const { preprocessing, training } = card;
  const rows = words.rows;
  return (
    <div className="card-of-model">
      <Rows title={words.groups.model} rows={[
        [rows.id, card.id],
        [rows.architecture, card.architecture],
        [rows.variant, card.variant],
        [rows.stage, card.stage],
        [rows.embedding, card.embedding_size],
        [rows.parameters, card.parameters != null && count(card.parameters)],
        [rows.text, card.takes_text != null && (card.takes_text ? words.yes : words.no)],
        [rows.images, card.images != null && count(card.images)],
        [rows.fingerprint, card.fingerprint && <Fingerprint text={card.fingerprint} />],
      ]} />
      {preprocessing && <Rows title={words.groups.preprocessing} rows={[
        [rows.side, preprocessing.side != null && words.side(preprocessing.side)],
        [rows.fitting, preprocessing.fitting],
        [rows.filter, preprocessing.filter],
        [rows.mean, preprocessing.mean && numbers(preprocessing.mean)],
        [rows.std, preprocessing.std && numbers(preprocessing.std)],
      ]} />}
      {training ? <Rows title={words.groups.training} rows={[
        [rows.recipe, training.recipe],
        [rows.epoch, reached(training.epoch, training.epochs)],
        [rows.step, reached(training.step, training.steps)],
        [rows.optimizer, training.optimizer],
        [rows.rate, training.learning_rate],
        [rows.decay, training.weight_decay],
        [rows.batch, training.batch],
        [rows.loss, training.loss?.length ? <Losses of={training.loss} /> : null],
        [rows.temperature, training.temperature],
        [rows.photos, training.photos != null && count(training.photos)],
        [rows.time, training.seconds != null && duration(training.seconds)],
        [rows.captions, training.captions?.length ? training.captions.map((caption) => `“${caption}”`).join(", ") : null],
      ]} /> : <p className="hint">{words.foreign}</p>}
      {training?.validation && <Rows title={words.groups.validation} rows={
        Object.entries(training.validation).map(([name, value]) => [metricName(name), value.toFixed(3)])
      } />}
      {training?.curve && <Curve of={training.curve} />}
    </div>
  );
}

function Rows({ title, rows }: { title: string; rows: [string, ReactNode][] }) {
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  if (known.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <dl className="rows">
        {known.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </>
  );
}

function Losses({ of }: { of: { name: string; weight?: number | null }[] }) {
  return <>{of.map(({ name, weight }) => <span className="loss" key={name}>{weight == null ? name : `${name} × ${weight}`}</span>)}</>;
}

function Fingerprint({ text }: { text: string }) {
  return <><code title={text}>{text.slice(0, 12)}</code> <Copy text={text} what={words.fingerprintWhat} /></>;
}

function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  // Browsers offer the clipboard to secure pages only; elsewhere the text can be marked by hand.
  if (!navigator.clipboard) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } catch {
      // Refused by the user.
    }
  };
  return (
    <button type="button" className="copy" onClick={copy} aria-label={done ? words.copied : words.copy(what)}>
      <Icon name={done ? "check" : "copy"} />
    </button>
  );
}

function reached(value?: number | null, of?: number | null): ReactNode {
  if (value == null) return of;
  return of == null ? value : words.epochOf(value, of);
}

const numbers = (values: number[]) => values.map((value) => Number(value.toFixed(4))).join(", ");
