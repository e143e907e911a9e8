// A text field with suggestions, by the combobox pattern of WAI-ARIA: arrow keys choose a suggestion, Enter takes it,
// Escape closes the list.
import { fill, h, type Child } from "./dom";

export interface Suggestion {
  value: string;
  shown: Child[];
}
export interface ComboboxOptions {
  id: string;
  label: string;
  placeholder: string;
  find(text: string, signal: AbortSignal): Promise<Suggestion[]>;
  take(value: string): void;
  // Takes text for which no suggestion was chosen. Without this function, Enter takes the first suggestion.
  takeText?(text: string): void;
}

const kPause_ms = 90;

export class Combobox {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly list: HTMLUListElement;
  private suggestions: Suggestion[] = [];
  private chosen = -1;
  private pause = 0;
  private search = new AbortController();

  constructor(private readonly options: ComboboxOptions) {
    const { id, label, placeholder } = options;
    this.list = h("ul", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
    this.input = h("input", {
      id, type: "text", role: "combobox", placeholder, autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
      oninput: () => this.look(kPause_ms),
      onfocus: () => this.look(0),
      onblur: () => this.close(),
      onkeydown: (event: KeyboardEvent) => this.press(event),
    });
    this.element = h("div", { class: "combobox" }, h("label", { for: id }, label), this.input, this.list);
  }

  focus(): void {
    this.input.focus();
  }

  private look(pause_ms: number): void {
    clearTimeout(this.pause);
    this.search.abort();
    this.search = new AbortController();
    const { signal } = this.search;
    this.input.setAttribute("aria-busy", "true");
    this.pause = window.setTimeout(async () => {
      try {
        const suggestions = await this.options.find(this.input.value.trim(), signal);
        if (!signal.aborted && document.activeElement === this.input) this.open(suggestions);
      } catch {
        if (!signal.aborted) this.close(); // the page's other calls show the error
      }
    }, pause_ms);
  }

  private open(suggestions: Suggestion[]): void {
    this.suggestions = suggestions;
    this.chosen = -1;
    const { id } = this.options;
    const options = suggestions.map((suggestion, i) =>
      h("li", {
        id: `${id}-${i}`, role: "option", "aria-selected": "false",
        onpointerdown: (event: PointerEvent) => {
          event.preventDefault();
          this.take(i);
        },
      }, ...suggestion.shown));
    const nothing = (): HTMLLIElement =>
      h("li", { class: "nothing", role: "option", "aria-disabled": "true" }, "No match");
    fill(this.list, ...(options.length > 0 ? options : [nothing()]));
    this.list.hidden = false;
    this.input.removeAttribute("aria-busy");
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
  }

  private close(): void {
    clearTimeout(this.pause);
    this.search.abort();
    this.suggestions = [];
    this.chosen = -1;
    this.list.hidden = true;
    this.input.removeAttribute("aria-busy");
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  private choose(next: number): void {
    const n = this.suggestions.length;
    if (n === 0) return;
    this.chosen = (next + n) % n;
    [...this.list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === this.chosen)));
    this.list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", `${this.options.id}-${this.chosen}`);
  }

  private take(i: number): void {
    const suggestion = this.suggestions[i];
    if (!suggestion) return;
    this.input.value = "";
    this.close();
    this.options.take(suggestion.value);
  }

  private press(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) return this.look(0);
      const down = event.key === "ArrowDown";
      this.choose(this.chosen < 0 ? (down ? 0 : -1) : this.chosen + (down ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const text = this.input.value.trim();
      if (this.chosen >= 0) return this.take(this.chosen);
      if (!text) return;
      if (!this.options.takeText) return this.take(0);
      this.input.value = "";
      this.close();
      this.options.takeText(text);
    } else if (event.key === "Escape") {
      if (this.list.hidden) this.input.value = "";
      this.close();
    }
  }
}
