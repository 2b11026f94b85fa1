import { createRoot } from "react-dom/client";
import { App } from "./components/App";
import { applyStoredTheme } from "./theme";

applyStoredTheme();
const page = document.getElementById("page");
if (page) createRoot(page).render(<App />);
