// The lists of candidates. Each list is one tab stop; arrow keys move between its items and between the lists.
import { marks, type Answer, type Mark } from "./answers";
import { fill, found, h, type Child } from "./dom";
import { shown, type Item, type ServedModel } from "./served_model";
import type { State } from "./state";

export interface ListsOptions {
  add(item: string): void; // to the history
  light(item: string | null): void;
}

// The mark of an item that the other list lacks, in the first list and in the second.
const kMissing: Record<State["comparison"], [string, string]> = {
  nothing: ["", ""],
  exact: ["extra", "missed"],
  model: ["only here", "only here"],
};

export class Lists {
  private readonly place = found<HTMLDivElement>("lists");

  constructor(private readonly options: ListsOptions) {
    this.place.addEventListener("keydown", (event) => this.press(event));
    this.place.addEventListener("focusin", (event) => this.light(event.target));
    this.place.addEventListener("pointerover", (event) => this.light(event.target));
    this.place.addEventListener("focusout", () => options.light(null));
    this.place.addEventListener("pointerleave", () => options.light(null));
  }

  show(answers: Answer[], state: State): void {
    const focused = this.place.contains(document.activeElement);
    const both = answers.length > 1;
    const best = Math.max(...answers.flatMap((answer) => answer.found.scores));
    const least = Math.min(...answers.flatMap((answer) => answer.found.scores), best);
    fill(this.place, ...answers.map((answer, n) => {
      const { items, scores } = answer.found;
      const other = answers[1 - n];
      const marked = other ? marks(items, other.found.items) : null;
      const id = `list-${n}`;
      return h("div", { class: "list" },
        h("h3", { id, hidden: !both }, answer.name),
        items.length === 0
          ? h("p", { class: "empty" }, state.filters.some((filter) => filter.on)
            ? "No item matches these filters." : "There are no candidates.")
          : h("ol", { "aria-labelledby": both ? id : "candidates-title" }, ...items.map((item, i) =>
            this.row(answer.model, answer.model.item(item), i, scores[i]!, { best, least },
              marked?.[i] ?? null, kMissing[state.comparison][n === 0 ? 0 : 1]))));
    }));
    this.place.dataset["lists"] = String(answers.length);
    if (focused) this.place.querySelector("button")?.focus();
  }

  private row(model: ServedModel, item: Item, i: number, score: number, scale: { best: number; least: number },
    mark: Mark | null, missing: string): HTMLLIElement {
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    const from = Math.min(0, scale.least);
    bar.style.setProperty("--along", String(scale.best > from ? (score - from) / (scale.best - from) : 1));
    const popularity = model.catalogue.popularity.length > 0 ? `${item.count} clicks` : "";
    return h("li", { class: mark?.only ? "only" : null },
      h("button", {
        type: "button", class: "candidate", "data-item": item.id, tabindex: i === 0 ? 0 : -1,
        title: "Add to the history", onclick: () => this.options.add(item.id),
      },
        h("span", { class: "rank" }, String(i + 1)),
        h("span", { class: "what" },
          h("span", { class: "title" }, item.title),
          h("span", { class: "detail" }, ...this.detail(model, item, popularity))),
        h("span", { class: "score" }, score.toFixed(3), mark ? this.marked(mark, missing) : bar)));
  }

  private marked(mark: Mark, missing: string): Child {
    if (mark.only) return h("span", { class: "mark only" }, missing);
    const places = Math.abs(mark.rise), where = mark.rise > 0 ? "higher" : "lower";
    if (places === 0) return h("span", { class: "mark" }, "=");
    const arrow = mark.rise > 0 ? "▲" : "▼";
    return h("span", { class: "mark", title: `${places} ${where} than in the other list` }, `${arrow} ${places}`);
  }

  private detail(model: ServedModel, item: Item, popularity: string): Child[] {
    const parts: Child[] = item.title === item.id ? [] : [h("span", { class: "id" }, item.id)];
    for (const [name, type] of Object.entries(model.card.attributes)) {
      const cell = shown(item.attributes[name]);
      if (name === model.catalogue.title || cell === "") continue;
      const speaks = type === "text" || type === "list of texts" || type === "time"; // a number needs its column's name
      parts.push(h("span", { title: name }, speaks ? cell : `${cell} ${name}`));
    }
    if (popularity) parts.push(h("span", { title: "rows of the training data" }, popularity));
    return parts;
  }

  private light(target: EventTarget | null): void {
    const button = target instanceof Element ? target.closest<HTMLElement>(".candidate") : null;
    this.options.light(button?.dataset["item"] ?? null);
  }

  private press(event: KeyboardEvent): void {
    const lists = [...this.place.querySelectorAll("ol")].map((list) => [...list.querySelectorAll("button")]);
    const n = lists.findIndex((list) => list.includes(document.activeElement as HTMLButtonElement));
    const list = lists[n];
    if (!list) return;
    const i = list.indexOf(document.activeElement as HTMLButtonElement);
    const kPage = 10;
    const last = (other: HTMLButtonElement[]): number => other.length - 1;
    const next = {
      ArrowDown: list[Math.min(i + 1, last(list))], ArrowUp: list[Math.max(i - 1, 0)],
      PageDown: list[Math.min(i + kPage, last(list))], PageUp: list[Math.max(i - kPage, 0)],
      Home: list[0], End: list[last(list)],
      ArrowLeft: lists[n - 1]?.[Math.min(i, last(lists[n - 1]!))],
      ArrowRight: lists[n + 1]?.[Math.min(i, last(lists[n + 1]!))],
    }[event.key];
    if (!next) return;
    event.preventDefault();
    for (const button of next.closest("ol")!.querySelectorAll("button")) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
