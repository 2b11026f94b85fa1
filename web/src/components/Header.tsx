import { ReactNode } from "react";
import { strings } from "../strings";
import { useTheme } from "../theme";
import { Icon } from "./Icon";

/** The name of the page, and what is always at hand. */
export function Header({ onHome, children }: { onHome: () => void; children: ReactNode }) {
  const [theme, toggle] = useTheme();
  return (
    <header className="header">
      <h1 className="wordmark">
        <a href="./" onClick={(event) => {
          // A new tab or window is the browser's business.
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onHome();
        }}>
          Style<em>Finder</em>
        </a>
      </h1>
      <div className="tools">
        {children}
        <button type="button" className="round" onClick={toggle} aria-label={theme === "dark" ? strings.theme.toLight : strings.theme.toDark}>
          <Icon name={theme === "dark" ? "sun" : "moon"} />
        </button>
      </div>
    </header>
  );
}
