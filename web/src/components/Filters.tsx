import { FormEvent, useEffect, useId, useState } from "react";
import { Facet, ProductPage } from "../api";
import { category, label } from "../format";
import { filter, inStock, priceOf, toggled, withPrice } from "../filters";
import { Go } from "../hooks";
import { strings } from "../strings";
import { Disclosure, wide } from "./Disclosure";
import { Swatch } from "./Swatch";

const words = strings.filters;
const shownAtFirst = 8;

// The keys of a JSON object come in any order.
const order = Object.keys(words.keys);
const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);

interface Props {
  catalogue: ProductPage | null;
  /** How many products match the filters. */
  passing: number | null;
  filters: string[];
  minScore: number | null;
  go: Go;
}

export function Filters({ catalogue, passing, filters, minScore, go }: Props) {
  if (!catalogue) return null;
  const facets = Object.entries(catalogue.facets ?? {}).filter(([, values]) => values.length > 1).sort(([a], [b]) => place(a) - place(b));
  const active = filters.length + (minScore === null ? 0 : 1);
  return (
    <section className="filters" aria-label={words.heading}>
      <Disclosure section title={words.heading} note={active > 0 ? words.active(active) : undefined} open={wide}>
        {facets.map(([key, values]) => <Chips key={key} name={key} values={values} filters={filters} go={go} />)}
        <Price filters={filters} go={go} />
        <label className="check">
          <input type="checkbox" checked={filters.includes(inStock)} onChange={() => go({ filters: toggled(filters, inStock) })} />
          {words.inStock}
        </label>
        <Least value={minScore} go={go} />
        <p className="hint" role="status">{filters.length > 0 && passing !== null ? words.passing(passing, catalogue.total) : ""}</p>
        {active > 0 && <button type="button" className="quiet" onClick={() => go({ filters: [], minScore: null })}>{words.clear}</button>}
      </Disclosure>
    </section>
  );
}

function Chips({ name, values, filters, go }: { name: string; values: Facet[]; filters: string[]; go: Go }) {
  const [all, setAll] = useState(false);
  const isOn = (facet: Facet) => filters.includes(filter(name, facet.value));
  // What is chosen stays in sight.
  const shown = all ? values : values.filter((facet, index) => index < shownAtFirst || isOn(facet));
  const rest = values.length - shown.length;
  return (
    <fieldset>
      <legend>{words.keys[name] ?? label(name)}</legend>
      <div className="chips">
        {shown.map((facet) => (
          <button key={facet.value} type="button" className="chip" aria-pressed={isOn(facet)}
            onClick={() => go({ filters: toggled(filters, filter(name, facet.value)) })}>
            {name === "color" && <Swatch color={facet.value} />}
            {name === "category" ? category(facet.value) : facet.value} <span className="number">{facet.count.toLocaleString()}</span>
          </button>
        ))}
        {(rest > 0 || all) && values.length > shownAtFirst && (
          <button type="button" className="chip ghost" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? words.fewer : words.more(rest)}
          </button>
        )}
      </div>
    </fieldset>
  );
}

function Price({ filters, go }: { filters: string[]; go: Go }) {
  const now = priceOf(filters);
  const [from, setFrom] = useState(now.from);
  const [to, setTo] = useState(now.to);
  useEffect(() => {
    setFrom(now.from);
    setTo(now.to);
  }, [now.from, now.to]);
  const commit = (event?: FormEvent) => {
    event?.preventDefault();
    const next = withPrice(filters, from, to);
    const { from: low, to: high } = priceOf(next);
    setFrom(low);
    setTo(high);
    if (low !== now.from || high !== now.to) go({ filters: next });
  };
  return (
    <fieldset>
      <legend>{words.price}</legend>
      <form className="price" onSubmit={commit}>
        <input type="text" inputMode="decimal" placeholder={words.from} aria-label={words.priceFrom} value={from}
          onChange={(event) => setFrom(event.target.value)} onBlur={() => commit()} />
        <span aria-hidden="true">–</span>
        <input type="text" inputMode="decimal" placeholder={words.to} aria-label={words.priceTo} value={to}
          onChange={(event) => setTo(event.target.value)} onBlur={() => commit()} />
        {/* Enter in one of two fields submits only where there is a button. */}
        <button type="submit" hidden />
      </form>
    </fieldset>
  );
}

function Least({ value, go }: { value: number | null; go: Go }) {
  const id = useId();
  const [held, hold] = useState(value ?? 0);
  const told = held === 0 ? words.leastOff : held.toFixed(2);
  useEffect(() => hold(value ?? 0), [value]);
  // A search per step of a drag would be many; it runs when the slider rests.
  useEffect(() => {
    if (held === (value ?? 0)) return;
    const timer = setTimeout(() => go({ minScore: held === 0 ? null : held }), 300);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <div className="least">
      <label htmlFor={id}>{words.least}</label>
      <span aria-hidden="true">{told}</span>
      <input id={id} type="range" min="0" max="1" step="0.05" value={held} aria-valuetext={told} onChange={(event) => hold(Number(event.target.value))} />
    </div>
  );
}
