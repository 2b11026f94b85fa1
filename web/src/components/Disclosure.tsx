import { ReactNode } from "react";
import { Icon } from "./Icon";

/** Whether there is room for everything: what is folded away on a phone stands open beside the results. */
export const wide = matchMedia("(min-width: 62rem)").matches;

export function Disclosure({ title, note, open, children }: { title: string; note?: string; open?: boolean; children: ReactNode }) {
  return (
    <details className="disclosure" open={open}>
      <summary>
        <span>{title}</span>
        {note && <span className="note" title={note}>{note}</span>}
        <Icon name="down" />
      </summary>
      <div className="inside">{children}</div>
    </details>
  );
}
