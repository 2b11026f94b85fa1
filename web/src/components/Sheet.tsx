import { ReactNode, useEffect, useId, useRef } from "react";
import { strings } from "../strings";
import { Icon } from "./Icon";

interface Props {
  open: boolean;
  title: string;
  onClose: () => void;
  /** Stays in sight below what scrolls. */
  footer?: ReactNode;
  children: ReactNode;
}

/** A drawer at the side, at the bottom on a phone. The element is the browser's own modal dialog: it keeps the focus, and gives it back. */
export function Sheet({ open, title, onClose, footer, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  useEffect(() => {
    const element = dialog.current;
    const cancelled = (event: Event) => {
      event.preventDefault();
      close.current();
    };
    element?.addEventListener("cancel", cancelled);
    return () => element?.removeEventListener("cancel", cancelled);
  }, []);
  return (
    <dialog ref={dialog} className="drawer" aria-labelledby={id} onClick={(event) => event.target === event.currentTarget && onClose()}>
      {open && (
        <div className="drawer-inside">
          <div className="drawer-head">
            <h2 id={id}>{title}</h2>
            <button type="button" className="round" onClick={onClose} aria-label={strings.close}><Icon name="close" /></button>
          </div>
          <div className="drawer-body">{children}</div>
          {footer && <div className="drawer-foot">{footer}</div>}
        </div>
      )}
    </dialog>
  );
}
