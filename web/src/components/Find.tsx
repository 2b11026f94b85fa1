import { FormEvent, KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { strings } from "../strings";
import { Icon } from "./Icon";

const words = strings.manage;

interface Props {
  /** What the list is of; empty for everything. */
  q: string;
  onQ: (q: string) => void;
}

/** Narrows the list of products by words or an ID, whenever the typing pauses. */
export function Find({ q, onQ }: Props) {
  const [typed, setTyped] = useState(q);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const wanted = typed.trim();
  useEffect(() => {
    if (wanted === q) return;
    const timer = setTimeout(() => onQ(wanted), 250);
    return () => clearTimeout(timer);
  }, [wanted, q]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onQ(wanted);
  };
  const clear = () => {
    setTyped("");
    onQ("");
    input.current?.focus();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !typed) return;
    event.preventDefault();
    clear();
  };
  return (
    <form className="text find" role="search" onSubmit={submit}>
      <label htmlFor={id}>{words.find}</label>
      <div className="field">
        <input id={id} ref={input} type="search" autoComplete="off" value={typed} placeholder={words.findHint} maxLength={200} enterKeyHint="search"
          onChange={(event) => setTyped(event.target.value)} onKeyDown={keys} />
        {typed && <button type="button" className="round" onClick={clear} aria-label={words.findClear}><Icon name="close" /></button>}
      </div>
    </form>
  );
}
