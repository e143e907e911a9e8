// The panel of options: how many candidates, from which items, and what to compare them with.
import type { Answer } from "./answers";
import { CallError } from "./calls";
import { fill, found, h } from "./dom";
import type { ServedModel } from "./served_model";
import { kMostCandidates, type Comparison, type Filter, type State, type Store } from "./state";

const kSuggested = 6;

export class Options {
  private readonly k = h("input", {
    id: "k", type: "number", min: 1, max: kMostCandidates, inputmode: "numeric", onchange: () => this.takeK(),
  });
  private readonly seen = h("input", {
    id: "seen", type: "checkbox", onchange: () => this.store.change({ seen: this.seen.checked }),
  });
  private readonly filter = h("input", {
    id: "filter", type: "text", placeholder: "minutes < 100", autocomplete: "off", spellcheck: "false",
    "aria-describedby": "filter-error", oninput: () => this.refuse(""),
  });
  private readonly error = h("p", { id: "filter-error", class: "error", role: "alert" });
  private readonly filters = h("ul", { class: "filters", "aria-label": "Filters" });
  private readonly suggested = h("ul", { class: "suggested", "aria-label": "Suggested filters" });
  private readonly comparisons: Map<Comparison, HTMLInputElement>;

  constructor(private readonly store: Store, private readonly model: ServedModel, other: ServedModel | null) {
    const choices: [Comparison, string, string][] = [
      ["nothing", "nothing", ""],
      ["exact", "exact search", model.card.index === "exact" ? "this bundle's index is exact" : ""],
      ["model", "other model", other ? "" : "start the server with --compare OTHER.pagoda"],
    ];
    this.comparisons = new Map(choices.map(([comparison, , why_not]) => [comparison, h("input", {
      type: "radio", name: "comparison", value: comparison, disabled: why_not !== "",
      onchange: () => store.change({ comparison }),
    })]));
    const is_number = (type: string): boolean => type === "integer" || type === "real" || type === "decimal";
    const [column] = Object.entries(model.card.attributes).find(([, type]) => is_number(type)) ?? [];
    this.filter.placeholder = column ? `${column} < 100` : "column = \"value\"";
    fill(found("options"),
      h("h2", {}, "Options"),
      h("div", { class: "row" },
        h("label", { for: "k" }, "Candidates"), this.k),
      h("label", { class: "check" }, this.seen, "include items of the history"),
      h("form", { onsubmit: (event: SubmitEvent) => void this.submit(event) },
        h("label", { for: "filter" }, "Filter"),
        h("div", { class: "row" }, this.filter, h("button", { type: "submit" }, "Add")),
        this.error),
      this.filters, this.suggested,
      h("fieldset", {}, h("legend", {}, "Compare with"),
        h("div", { class: "choices" }, ...choices.map(([comparison, text, why_not]) =>
          h("label", { title: why_not || null }, this.comparisons.get(comparison)!, h("span", {}, text))))));
  }

  show(state: State): void {
    this.k.value = String(state.k);
    this.seen.checked = state.seen;
    for (const [comparison, input] of this.comparisons) input.checked = comparison === state.comparison;
    const active = this.filters.contains(document.activeElement) ? document.activeElement : null;
    const focused = active?.closest("li")?.dataset["n"];
    fill(this.filters, ...state.filters.map((filter, n) => h("li", { "data-n": n },
      h("button", {
        type: "button", class: "chip", "aria-pressed": String(filter.on), onclick: () => this.toggle(filter),
      }, filter.text),
      h("button", {
        type: "button", class: "remove", "aria-label": `Remove the filter ${filter.text}`,
        onclick: () => this.remove(filter),
      }, "×"))));
    this.filters.hidden = state.filters.length === 0;
    if (focused !== undefined)
      (this.filters.children[Number(focused)]?.querySelector("button") ?? this.filter).focus();
  }

  // Suggests filters for the values that several candidates share.
  suggest(answers: Answer[], state: State): void {
    const times = new Map<string, number>();
    const { found: { items }, model } = answers[0]!;
    for (const item of items)
      for (const [name, type] of Object.entries(model.card.attributes)) {
        if (name === model.catalogue.title || !/^[A-Za-z_]\w*$/.test(name)) continue;
        if (type !== "text" && type !== "list of texts") continue;
        for (const value of [model.item(item).attributes[name] ?? []].flat()) {
          if (typeof value !== "string" || /["\\]/.test(value)) continue;
          const text = `${name} = "${value}"`;
          times.set(text, (times.get(text) ?? 0) + 1);
        }
      }
    const common = [...times].filter(([text, n]) => n > 1 && !state.filters.some((filter) => filter.text === text))
      .sort(([, a], [, b]) => b - a).slice(0, kSuggested);
    fill(this.suggested, ...common.map(([text]) => h("li", {},
      h("button", {
        type: "button", class: "chip", "aria-label": `Add the filter ${text}`, onclick: () => this.add(text),
      }, text.replace(/^\w+ = "(.*)"$/, "$1")))));
  }

  refuse(message: string): void {
    this.error.textContent = message;
    if (message) this.filter.setAttribute("aria-invalid", "true");
    else this.filter.removeAttribute("aria-invalid");
  }

  private takeK(): void {
    const k = Math.round(Number(this.k.value));
    const { state } = this.store;
    if (k >= 1 && k <= kMostCandidates) this.store.change({ k });
    else this.k.value = String(k > kMostCandidates ? kMostCandidates : state.k);
    if (Number(this.k.value) !== this.store.state.k) this.takeK();
  }

  // Tries a filter before adding it: a wrong one stays in the field, where you can correct it.
  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const text = this.filter.value.trim();
    if (!text) return;
    try {
      const tried = { ...this.store.state, k: 1, filters: [{ text, on: true }] };
      await this.model.retrieve(tried, {}, new AbortController().signal);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return this.refuse(error.message);
    }
    this.filter.value = "";
    this.add(text);
  }

  private add(text: string): void {
    const others = this.store.state.filters.filter((filter) => filter.text !== text);
    this.store.change({ filters: [...others, { text, on: true }] });
  }

  private toggle(which: Filter): void {
    const toggled = (filter: Filter): Filter => (filter === which ? { ...filter, on: !filter.on } : filter);
    this.store.change({ filters: this.store.state.filters.map(toggled) });
  }

  private remove(which: Filter): void {
    this.store.change({ filters: this.store.state.filters.filter((filter) => filter !== which) });
  }
}
