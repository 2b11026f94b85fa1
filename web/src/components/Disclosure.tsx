import { ReactNode } from "react";
import { Icon } from "./Icon";

export function Disclosure({ title, note, open, children }: { title: string; note?: string; open?: boolean; children: ReactNode }) {
  return (
    <details className="disclosure" open={open}>
      <summary>
        <span>{title}</span>
        {note && <span className="note">{note}</span>}
        <Icon name="down" />
      </summary>
      {children}
    </details>
  );
}
