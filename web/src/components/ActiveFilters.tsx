import { useContext } from "react";
import { inStock, parts, priceOf } from "../filters";
import { Go } from "../hooks/address";
import { NamingContext, Naming } from "../naming";
import { strings } from "../strings";
import { Icon } from "./Icon";

const words = strings.filters;

/** What narrows the search, each to be taken away with one press. */
export function ActiveFilters({ filters, minScore, go }: { filters: string[]; minScore: number | null; go: Go }) {
  const naming = useContext(NamingContext);
  if (filters.length === 0 && minScore === null) return null;
  return (
    <ul className="active">
      {filters.map((text) => (
        <li key={text}><Chip name={nameOf(text, naming)} onRemove={() => go({ filters: filters.filter((other) => other !== text) })} /></li>
      ))}
      {minScore !== null && <li><Chip name={`${words.least} ${minScore}`} onRemove={() => go({ minScore: null })} /></li>}
    </ul>
  );
}

function Chip({ name, onRemove }: { name: string; onRemove: () => void }) {
  return (
    <button type="button" className="chip on" onClick={onRemove} aria-label={words.remove(name)}>
      {name}<Icon name="close" />
    </button>
  );
}

function nameOf(text: string, naming: Naming): string {
  if (text === inStock) return words.inStock;
  const [key, value] = parts(text);
  if (key === "price") {
    const { from, to } = priceOf([text]);
    return [words.price, from && `${words.from} ${from}`, to && `${words.to} ${to}`].filter(Boolean).join(" ");
  }
  return key === "category" ? naming.category(value) : value;
}
