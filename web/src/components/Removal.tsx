import { useRef, useState } from "react";
import { strings } from "../strings";

const words = strings.manage;

interface Props {
  /** What stands on the button, and its name where others like it stand beside it. */
  text: string;
  label: string;
  question: string;
  disabled?: boolean;
  onRemove: () => Promise<void>;
}

/** A button that deletes something, after a question. */
export function Removal({ text, label, question, disabled, onRemove }: Props) {
  const [state, setState] = useState<"idle" | "asking" | "removing">("idle");
  const keeping = useRef(false);
  if (state === "idle") {
    return (
      <button type="button" className="secondary small" disabled={disabled} onClick={() => setState("asking")} aria-label={label}
        ref={(button) => {
          // Whoever keeps it goes on from where the question was asked.
          if (button && keeping.current) button.focus();
          keeping.current = false;
        }}>{text}</button>
    );
  }
  const remove = async () => {
    setState("removing");
    await onRemove();
    setState("idle");
  };
  return (
    <span className="ways" role="alertdialog" aria-label={question}>
      <span>{question}</span>
      <button type="button" className="primary small" autoFocus disabled={state === "removing"} onClick={remove}>{words.removeYes}</button>
      <button type="button" className="secondary small" onClick={() => ((keeping.current = true), setState("idle"))}>{words.removeNo}</button>
    </span>
  );
}
