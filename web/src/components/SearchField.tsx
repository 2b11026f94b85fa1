import { FormEvent, KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Suggestion, filtersOf } from "../api";
import { label } from "../format";
import { useSuggestions } from "../hooks/catalogue";
import { strings } from "../strings";
import { Icon } from "./Icon";

const words = strings.query;

interface Props {
  text: string;
  label: string;
  placeholder: string;
  takesText: boolean;
  /** Returns what of the typed text stays in the field: a price becomes a filter, what is not wanted a term of its own. */
  onText: (typed: string) => string;
  onSuggestion: (suggestion: Suggestion) => void;
}

/** A text to search with, and what the catalogue suggests for it: a combobox with a list (WAI-ARIA Authoring Practices). */
export function SearchField({ text, label: named, placeholder, takesText, onText, onSuggestion }: Props) {
  const [typed, setTyped] = useState(text);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const list = useSuggestions(typed, open && takesText);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => setAt(-1), [list]);
  const shown = open && list.length > 0;
  const choose = (suggestion: Suggestion) => {
    setOpen(false);
    setTyped(text);
    onSuggestion(suggestion);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = shown ? list[at] : undefined;
    if (chosen) return choose(chosen);
    setOpen(false);
    if (typed.trim() || text) setTyped(onText(typed.trim()));
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape" && shown) {
      event.preventDefault();
      setOpen(false);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!shown) return setOpen(true);
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      // One place before the first is the text itself.
      setAt((now) => ((now + 1 + step + list.length + 1) % (list.length + 1)) - 1);
    }
  };
  return (
    <form className="text" role="search" onSubmit={submit}>
      <label htmlFor={id}>{named}</label>
      <div className="field">
        <input id={id} ref={input} type="search" role="combobox" autoComplete="off" value={typed} placeholder={placeholder} maxLength={500} enterKeyHint="search"
          disabled={!takesText} aria-describedby={takesText ? undefined : `${id}-why`} aria-expanded={shown} aria-controls={`${id}-list`} aria-autocomplete="list"
          aria-activedescendant={shown && at >= 0 ? `${id}-${at}` : undefined}
          onChange={(event) => (setTyped(event.target.value), setOpen(true))} onKeyDown={keys} onBlur={() => setOpen(false)} />
        <button type="submit" className="round" aria-label={words.textSubmit} disabled={!takesText}><Icon name="search" /></button>
        <ul className="suggestions" id={`${id}-list`} role="listbox" aria-label={words.suggestions} hidden={!shown}>
          {shown && list.map((suggestion, index) => (
            // The field keeps the focus: a press must not blur it before it is a choice.
            <li key={`${suggestion.kind}/${suggestion.text}/${suggestion.product_id ?? filtersOf(suggestion).join()}`} id={`${id}-${index}`} role="option" aria-selected={index === at}
              onPointerDown={(event) => event.preventDefault()} onClick={() => choose(suggestion)}>
              <span className="name">{suggestion.text}</span>
              <span className="kind">{kindOf(suggestion)}</span>
            </li>
          ))}
        </ul>
      </div>
      <p className="visually-hidden" role="status">{shown ? words.suggested(list.length) : ""}</p>
      {!takesText && <p className="hint" id={`${id}-why`}>{words.noText}</p>}
    </form>
  );
}

/** What an entry is, and how many garments it leads to: a garment leads to itself. */
function kindOf({ kind, count, product_id }: Suggestion): string {
  return [words.suggestionKinds[kind] ?? label(kind), !product_id && count?.toLocaleString()].filter(Boolean).join(" · ");
}
