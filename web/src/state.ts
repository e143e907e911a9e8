// The state of the page. It is part of the page's address, so that you can share it and go back.

export type Comparison = "nothing" | "exact" | "model";

export interface Filter {
  text: string;
  on: boolean;
}
export interface State {
  user: string; // "": no user
  history: string[] | null; // the latest last; null: what the server knows of the user
  k: number;
  filters: Filter[];
  seen: boolean; // whether the candidates may include items of the history
  comparison: Comparison;
}

export const kMostCandidates = 1000;
const kCandidates = 20;

function read(query: URLSearchParams): State {
  const k = Number(query.get("k"));
  const compared = query.get("compare");
  const comparison = compared === "beside" ? "model" : compared; // "beside": addresses that were shared by version 0.1
  return {
    user: query.get("user") ?? "",
    history: query.has("history") ? query.getAll("history").filter((item) => item !== "") : null,
    k: Number.isInteger(k) && k >= 1 && k <= kMostCandidates ? k : kCandidates,
    filters: [...query].filter(([name, text]) => (name === "filter" || name === "filter-off") && text !== "")
      .map(([name, text]) => ({ text, on: name === "filter" })),
    seen: query.has("seen"),
    comparison: comparison === "exact" || comparison === "model" ? comparison : "nothing",
  };
}

function written(state: State): string {
  const query = new URLSearchParams();
  if (state.user) query.set("user", state.user);
  for (const item of state.history ?? []) query.append("history", item);
  if (state.history?.length === 0) query.set("history", "");
  if (state.k !== kCandidates) query.set("k", String(state.k));
  for (const filter of state.filters) query.append(filter.on ? "filter" : "filter-off", filter.text);
  if (state.seen) query.set("seen", "");
  if (state.comparison !== "nothing") query.set("compare", state.comparison);
  return query.size > 0 ? `?${query}` : location.pathname;
}

export class Store {
  state = read(new URLSearchParams(location.search));
  private readonly watchers: (() => void)[] = [];

  constructor() {
    addEventListener("popstate", () => {
      this.state = read(new URLSearchParams(location.search));
      this.tell();
    });
  }

  watch(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  // "replace": the browser's Back button skips the state before.
  change(change: Partial<State>, how: "push" | "replace" = "push"): void {
    this.state = { ...this.state, ...change };
    if (how === "push") history.pushState(null, "", written(this.state));
    else history.replaceState(null, "", written(this.state));
    this.tell();
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

export function joined(filters: Filter[]): string {
  const on = filters.filter((filter) => filter.on).map((filter) => filter.text);
  return on.length > 1 ? on.map((text) => `(${text})`).join(" and ") : on.join("");
}
