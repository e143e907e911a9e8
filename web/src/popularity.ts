// The popularity of the shown items, compared with that of the catalogue: a table whose cells have bars.
import type { Answer } from "./answers";
import type { Bucket } from "./calls";
import { fill, found, h } from "./dom";

function percent(share: number): string {
  const value = 100 * share;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}%`;
}

function cell(share: number, kind: string): HTMLTableCellElement {
  const bar = h("span", { class: `bar ${kind}`, "aria-hidden": "true" });
  bar.style.setProperty("--along", String(share));
  return h("td", {}, h("span", { class: "figure" }, percent(share)), bar);
}

// The share of a list's items in each bucket.
function shares(answer: Answer, buckets: Bucket[]): number[] {
  const in_bucket = buckets.map(() => 0);
  const { items } = answer.found;
  for (const item of items) {
    const { count } = answer.model.item(item);
    const at = buckets.findIndex((bucket) => count >= bucket.least_count);
    in_bucket[at < 0 ? buckets.length - 1 : at]! += 1 / items.length;
  }
  return in_bucket;
}

export function showPopularity(answers: Answer[]): void {
  const place = found<HTMLDivElement>("popularity");
  const first = answers[0]!;
  const buckets = first.model.catalogue.popularity;
  place.hidden = buckets.length === 0;
  if (place.hidden) return;
  const items = buckets.reduce((sum, bucket) => sum + bucket.items, 0);
  const rows = buckets.reduce((sum, bucket) => sum + bucket.rows, 0);
  const shown = answers.map((answer) => shares(answer, answer.model.catalogue.popularity));
  fill(place,
    h("h2", {}, "Popularity"),
    h("table", { class: "bars" },
      h("caption", {}, "The candidates by popularity: the items are grouped by their clicks in the training data."),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Items"),
        ...answers.map((answer) => h("th", { scope: "col" }, answers.length > 1 ? answer.name : "Shown")),
        h("th", { scope: "col" }, "Catalogue"), h("th", { scope: "col" }, "Clicks"))),
      h("tbody", {}, ...buckets.map((bucket, b) =>
        h("tr", {},
          h("th", { scope: "row", title: `${bucket.items} items with at least ${bucket.least_count} clicks` },
            bucket.bucket),
          ...shown.map((share, n) => cell(share[b] ?? 0, n === 0 ? "shown" : "shown second")),
          cell(bucket.items / items, "catalogue"), cell(bucket.rows / rows, "catalogue"))))));
}
