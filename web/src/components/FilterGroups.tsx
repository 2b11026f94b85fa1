import { FormEvent, useContext, useEffect, useId, useState } from "react";
import { Facet } from "../api";
import { label } from "../format";
import { filter, inStock, priceOf, toggled, withPrice } from "../filters";
import { Go } from "../hooks/address";
import { NamingContext } from "../naming";
import { strings } from "../strings";
import { Swatch } from "./Swatch";

const words = strings.filters;
const shownAtFirst = 12;

// The keys of a JSON object come in any order.
const order = Object.keys(words.keys);
const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);

export const groupName = (key: string) => words.keys[key] ?? label(key);

/** What there is to choose from, most used first: the counts within the filters, for every value of the whole catalogue. */
export function groupsOf(all: Record<string, Facet[]> | null | undefined, within: Record<string, Facet[]> | null | undefined): [string, Facet[]][] {
  const counted = (key: string, values: Facet[]): Facet[] => {
    const counts = within?.[key];
    if (!within || !counts) return within ? values.map(({ value }) => ({ value, count: 0 })) : values;
    return values.map(({ value }) => ({ value, count: counts.find((facet) => facet.value === value)?.count ?? 0 }));
  };
  return Object.entries(all ?? {})
    .filter(([, values]) => values.length > 1)
    .map(([key, values]): [string, Facet[]] => [key, counted(key, values)])
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** The values of one key, each to be switched on and off. */
export function Values({ name, values, filters, go, titled }: { name: string; values: Facet[]; filters: string[]; go: Go; titled?: boolean }) {
  const [all, setAll] = useState(false);
  const naming = useContext(NamingContext);
  const isOn = (facet: Facet) => filters.includes(filter(name, facet.value));
  // What is chosen stays in sight.
  const shown = all ? values : values.filter((facet, index) => index < shownAtFirst || isOn(facet));
  const rest = values.length - shown.length;
  return (
    <fieldset>
      <legend className={titled ? undefined : "visually-hidden"}>{groupName(name)}</legend>
      <div className="chips">
        {shown.map((facet) => (
          <button key={facet.value} type="button" className={facet.count === 0 && !isOn(facet) ? "chip none" : "chip"} aria-pressed={isOn(facet)}
            onClick={() => go({ filters: toggled(filters, filter(name, facet.value)) })}>
            {name === "color" && <Swatch color={facet.value} />}
            {name === "category" ? naming.category(facet.value) : facet.value} <span className="number">{facet.count.toLocaleString()}</span>
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

export function Price({ filters, go, titled }: { filters: string[]; go: Go; titled?: boolean }) {
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
      <legend className={titled ? undefined : "visually-hidden"}>{words.price}</legend>
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

export function InStock({ filters, go }: { filters: string[]; go: Go }) {
  return (
    <label className="check">
      <input type="checkbox" checked={filters.includes(inStock)} onChange={() => go({ filters: toggled(filters, inStock) })} />
      {words.inStockOnly}
    </label>
  );
}

export function Least({ value, go }: { value: number | null; go: Go }) {
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
