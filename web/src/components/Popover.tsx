import { KeyboardEvent, ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "./Icon";

interface Props {
  /** What stands on the button. */
  label: ReactNode;
  /** Something inside is chosen. */
  active?: boolean;
  children: ReactNode | ((close: () => void) => ReactNode);
}

/** A button that opens a panel below it. Escape, a press elsewhere and leaving it with Tab close it. */
export function Popover({ label, active, children }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    const elsewhere = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", elsewhere);
    addEventListener("focusin", elsewhere);
    return () => {
      removeEventListener("pointerdown", elsewhere);
      removeEventListener("focusin", elsewhere);
    };
  }, [open]);
  useLayoutEffect(() => {
    const element = panel.current;
    if (!open || !element) return;
    // At the end of a row the panel would hang out of the window.
    const over = element.getBoundingClientRect().right - (document.documentElement.clientWidth - 12);
    element.style.left = over > 0 ? `${-over}px` : "0";
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    close();
  };
  return (
    <div className="popover" ref={box} onKeyDown={keys}>
      <button ref={button} type="button" className={active ? "chip menu on" : "chip menu"} aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(!open)}>
        {label}<Icon name="down" />
      </button>
      {open && <div className="panel" id={id} ref={panel}>{typeof children === "function" ? children(close) : children}</div>}
    </div>
  );
}
