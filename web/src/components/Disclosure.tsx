import { ReactNode } from "react";
import { Icon } from "./Icon";

/** Whether there is room for everything: what is folded away on a phone stands open beside the results. */
export const wide = matchMedia("(min-width: 62rem)").matches;

interface Props {
  title: string;
  /** The title is the heading of a section. */
  section?: boolean;
  note?: string;
  open?: boolean;
  children: ReactNode;
}

export function Disclosure({ title, section, note, open, children }: Props) {
  return (
    <details className="disclosure" open={open}>
      <summary>
        {section ? <h2>{title}</h2> : <span>{title}</span>}
        {note && <span className="note" title={note}>{note}</span>}
        <Icon name="down" />
      </summary>
      <div className="inside">{children}</div>
    </details>
  );
}
