// Light or dark: the system's choice, until you press the button.
import { found } from "./dom";

const kKept = "pagoda.theme";
const kTold = matchMedia("(prefers-color-scheme: dark)");

function dark(): boolean {
  const kept = localStorage.getItem(kKept);
  return kept ? kept === "dark" : kTold.matches;
}

export function watchTheme(changed: () => void): void {
  const button = found<HTMLButtonElement>("theme");
  const show = (): void => {
    document.documentElement.dataset["theme"] = dark() ? "dark" : "light";
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", dark() ? "Change to light colours" : "Change to dark colours");
    changed();
  };
  button.onclick = () => {
    const next = dark() ? "light" : "dark";
    if ((next === "dark") === kTold.matches) localStorage.removeItem(kKept); // it is the system's choice, too
    else localStorage.setItem(kKept, next);
    show();
  };
  kTold.addEventListener("change", show);
  show();
}
