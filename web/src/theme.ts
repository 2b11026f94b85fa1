// Light and dark: the system's choice, until the toggle makes one that is remembered.

import { useState } from "react";

type Theme = "light" | "dark";
const name = "stylefinder-theme";

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(name);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // Storage may be forbidden; the toggle then holds for this visit.
  }
}

const system = (): Theme => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

export function applyStoredTheme() {
  const theme = stored();
  if (theme) document.documentElement.dataset.theme = theme;
}

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => stored() ?? system());
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(name, next);
    } catch {
      // See above.
    }
    setTheme(next);
  };
  return [theme, toggle];
}
