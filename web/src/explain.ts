// The panel that explains the searches: what they read, and how long they took.
import type { Answer } from "./answers";
import type { Explain } from "./calls";
import { fill, found, h } from "./dom";

const kRows: [string, string, (explain: Explain) => string][] = [
  ["Plan", "all rows; matching rows, where few items match the filter; or lists of a partitioned index", (e) => e.plan],
  ["Matching items", "the share of the items that match the filters",
    (e) => `${Number((100 * e.selectivity).toPrecision(3))}%`],
  ["Lists probed", "of a partitioned index", (e) => String(e.lists_probed)],
  ["Vectors scored", "by their codes, or exactly where the index has none", (e) => String(e.vectors_scored)],
  ["Vectors reranked", "scored exactly after the scan of the codes", (e) => String(e.vectors_reranked)],
  ["Items boosted", "that the neighbours of the history's items add to", (e) => String(e.boosted)],
  ["Live events", "of the user, since the model's log ends", (e) => String(e.live_events)],
];
const kTimes: [string, string, string][] = [
  ["queue", "Queue", "time in the queue"],
  ["encode", "Encode", "the user tower"],
  ["filter", "Filter", "finding the matching items"],
  ["search", "Search", "the whole search"],
  ["centres", "· centroids", "choosing lists, summed over threads"],
  ["scan", "· scan", "reading codes, summed over threads"],
  ["rerank", "· rerank", "scoring exactly, summed over threads"],
];

export function showExplain(answers: Answer[]): void {
  const row = (name: string, meaning: string, value: (explain: Explain) => string): HTMLTableRowElement =>
    h("tr", {}, h("th", { scope: "row", title: meaning }, name),
      ...answers.map(({ found: { explain } }) => h("td", {}, explain ? value(explain) : "")));
  fill(found("explain"),
    h("h2", {}, "Explanation"),
    h("table", { class: "explain" },
      h("thead", { hidden: answers.length === 1 },
        h("tr", {}, h("td", {}), ...answers.map((answer) => h("th", { scope: "col" }, answer.name)))),
      h("tbody", {},
        ...kRows.map(([name, meaning, value]) => row(name, meaning, value)),
        ...kTimes.map(([key, name, meaning]) =>
          row(name, meaning, (e) => `${(e.times_ms[key] ?? 0).toFixed(3)} ms`)))));
}
