import "./page.css";

import { ask, inCommon, type Answer } from "./answers";
import { Calls, CallError } from "./calls";
import { fill, found, h } from "./dom";
import { showExplain } from "./explain";
import { Key } from "./key";
import { Lists } from "./lists";
import { ItemMap } from "./map";
import { Options } from "./options";
import { showPopularity } from "./popularity";
import { ServedModel } from "./served_model";
import { Store, type State } from "./state";
import { watchTheme } from "./theme";
import { Who } from "./who";

class Page {
  private readonly who: Who;
  private readonly options: Options;
  private readonly lists: Lists;
  private readonly map: ItemMap;
  private running = new AbortController();

  constructor(
    private readonly store: Store, private readonly model: ServedModel, private readonly other: ServedModel | null) {
    const { info, index, fingerprint } = model.card;
    const count = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}`;
    const facts = [count(info.items, "items"), info.towers && count(info.users, "users"), `${index} index`];
    fill(found("model"),
      h("b", {}, model.catalogue.name),
      h("span", {}, facts.filter(Boolean).join(" · ")),
      h("code", { title: "the bundle's fingerprint" }, fingerprint));
    this.who = new Who(store, model);
    this.options = new Options(store, model, other);
    this.map = new ItemMap({ add: (item) => this.who.add(item) });
    this.lists = new Lists({ add: (item) => this.who.add(item), light: (item) => this.map.light(item) });
    watchTheme(() => this.map.recolour());
  }

  async begin(): Promise<void> {
    await this.who.begin();
    this.store.watch(() => void this.run());
    await this.run();
  }

  private async run(): Promise<void> {
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    const state = this.possible(this.store.state);
    document.body.setAttribute("aria-busy", "true");
    this.options.show(state);
    try {
      const [, answers] = await Promise.all([this.who.show(signal), ask(state, this.model, this.other, signal)]);
      if (signal.aborted) return;
      this.lists.show(answers, state);
      this.options.suggest(answers, state);
      this.options.refuse("");
      found("status").textContent = told(answers, state);
      showPopularity(answers);
      showExplain(answers);
      await this.map.show(answers, state, await this.who.history(signal), signal);
      if (!signal.aborted) this.settle("");
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    }
  }

  // A shared address may ask for a comparison that this server does not have.
  private possible(state: State): State {
    const there = { nothing: true, exact: this.model.card.index !== "exact", model: this.other !== null };
    return there[state.comparison] ? state : { ...state, comparison: "nothing" };
  }

  private settle(trouble: string, again = false): void {
    fill(found("trouble"),
      trouble && h("p", {}, trouble),
      again && h("button", { type: "button", onclick: () => void this.run() }, "Try again"));
    document.body.classList.toggle("stale", trouble !== "");
    document.body.removeAttribute("aria-busy");
  }

  private fail(error: unknown): void {
    if (!(error instanceof CallError)) console.error(error);
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof CallError && error.field === "filter") {
      this.options.refuse(message);
      return this.settle("A filter is wrong: turn it off, or remove it.");
    }
    this.settle(message, true);
  }
}

function told(answers: Answer[], state: State): string {
  const [first, second] = answers.map((answer) => answer.found.items);
  if (!first) return "";
  if (!second) {
    const times = answers[0]!.found.explain?.times_ms;
    const took = times ? (times["encode"] ?? 0) + (times["filter"] ?? 0) + (times["search"] ?? 0) : 0;
    return `${first.length} candidates in ${took.toFixed(2)} ms`;
  }
  const common = inCommon(first, second);
  if (state.comparison !== "exact") return `${common} of ${second.length} are in both lists`;
  return `${common} of the top ${second.length} were found`;
}

async function main(): Promise<void> {
  const key = new Key();
  const model = await ServedModel.open(new Calls("", key));
  const other = model.catalogue.compare ? await ServedModel.open(new Calls("compare/", key)) : null;
  await new Page(new Store(), model, other).begin();
}

main().catch((error: unknown) => {
  fill(found("trouble"),
    h("p", {}, error instanceof Error ? error.message : String(error)),
    h("button", { type: "button", onclick: () => location.reload() }, "Try again"));
  document.body.removeAttribute("aria-busy");
});
