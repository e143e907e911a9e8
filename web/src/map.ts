// The items' vectors in two dimensions: a sample of the catalogue as dots, and on top the history, the candidates and
// the user. Each of two models has its own map, because their vectors cannot be compared.
import type { Answer } from "./answers";
import { fill, found, h, svg } from "./dom";
import type { Point, ServedModel } from "./served_model";
import type { State } from "./state";

const kSize = 320, kMargin = 14, kReach = 10;
const kMostLit = 400;
const kLegend = [["user", "the user"], ["candidate", "candidates"], ["seen", "history"], ["item", "other items"]];

interface Lit {
  model: ServedModel;
  name: string;
  candidates: Map<string, Point>;
  history: Map<string, Point>;
  user: Point | null;
}

export interface MapOptions {
  add(item: string): void;
}

export class ItemMap {
  private readonly place = found<HTMLDivElement>("map");
  private planes: Plane[] = [];

  constructor(private readonly options: MapOptions) {}

  async show(answers: Answer[], state: State, history: string[], signal: AbortSignal): Promise<void> {
    const models = [...new Set(answers.map((answer) => answer.model))];
    const lit = await Promise.all(models.map(async (model): Promise<Lit> => {
      const of_model = answers.filter((answer) => answer.model === model);
      const items = [...new Set(of_model.flatMap((answer) => answer.found.items))].slice(0, kMostLit);
      const [candidates, seen, user] = await Promise.all([
        model.itemPoints(items, signal), model.itemPoints(history.slice(-kMostLit), signal),
        model.userPoint(state, signal)]);
      return { model, name: model.catalogue.name, candidates, history: seen, user };
    }));
    if (signal.aborted) return;
    this.planes = lit.map((one) => new Plane(one, this.options));
    const held = Math.round(100 * lit[0]!.model.catalogue.map.variance);
    fill(this.place,
      h("h2", {}, "Map of the items"),
      h("div", { class: "planes" }, ...this.planes.map((plane) => h("figure", {},
        h("figcaption", { hidden: lit.length === 1 }, plane.name), plane.element))),
      h("ul", { class: "legend", "aria-hidden": "true" },
        ...kLegend.map(([kind, text]) => h("li", {}, h("span", { class: `dot ${kind}` }), text))),
      h("p", { class: "hint" }, `The vectors on their first two principal components, with ${held}% of their ` +
        "variance. Click a dot to add the item to the history."));
  }

  recolour(): void {
    for (const plane of this.planes) plane.draw();
  }

  light(item: string | null): void {
    for (const plane of this.planes) plane.light(item);
  }
}

class Plane {
  readonly element: HTMLElement;
  readonly name: string;
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  private readonly over: SVGSVGElement;
  private readonly ring: SVGCircleElement;
  private readonly tip = h("span", { class: "tip", hidden: true });
  private readonly spots = new Map<string, Point>(); // in the coordinates of the picture
  private wanted = "";

  constructor(private readonly lit: Lit, private readonly options: MapOptions) {
    this.name = lit.name;
    const { map } = lit.model.catalogue;
    const points = [
      ...map.points, ...lit.candidates.values(), ...lit.history.values(), ...(lit.user ? [lit.user] : [])];
    const ends = (axis: 0 | 1): [number, number] => points.reduce<[number, number]>(
      ([low, high], point) => [Math.min(low, point[axis]), Math.max(high, point[axis])], [Infinity, -Infinity]);
    const [left, right] = ends(0), [bottom, top] = ends(1);
    const scale = (kSize - 2 * kMargin) / Math.max(right - left, top - bottom, 1e-9);
    const on = ([x, y]: Point): Point =>
      [kSize / 2 + scale * (x - (left + right) / 2), kSize / 2 - scale * (y - (bottom + top) / 2)];
    map.items.forEach((item, i) => this.spots.set(item, on(map.points[i]!)));
    for (const [item, point] of [...lit.history, ...lit.candidates]) this.spots.set(item, on(point));

    const dots = (items: Map<string, Point>, kind: string, r: number): SVGElement[] => [...items.keys()].map((item) => {
      const [x, y] = this.spots.get(item)!;
      return svg("circle", { class: kind, cx: x.toFixed(1), cy: y.toFixed(1), r, "data-item": item });
    });
    this.ring = svg("circle", { class: "ring", r: 8, visibility: "hidden" });
    const star = lit.user && svg("path", {
      class: "user", d: "M0-9 2.4-2.9 9-2.6 3.8 1.4 5.6 8 0 4.2-5.6 8-3.8 1.4-9-2.6-2.4-2.9Z",
      transform: `translate(${on(lit.user).map((x) => x.toFixed(1)).join(" ")})`,
    });
    const words = `${lit.model.catalogue.name}: ${lit.candidates.size} candidates and ${lit.history.size} items ` +
      `of the history among ${map.items.length} items`;
    this.over = svg("svg", { viewBox: `0 0 ${kSize} ${kSize}`, role: "img", "aria-label": words },
      ...dots(lit.history, "seen", 4), ...dots(lit.candidates, "candidate", 4), this.ring, star);
    this.element = h("div", {
      class: "plane",
      onpointermove: (event: PointerEvent) => void this.point(event),
      onpointerleave: () => this.light(null),
      onclick: (event: MouseEvent) => this.click(event),
    }, this.canvas, this.over, this.tip);
    this.draw();
  }

  draw(): void {
    const sharp = Math.max(1, devicePixelRatio);
    this.canvas.width = this.canvas.height = kSize * sharp;
    const brush = this.canvas.getContext("2d");
    if (!brush) return;
    brush.scale(sharp, sharp);
    brush.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--dot");
    const r = this.lit.model.catalogue.map.items.length > 1000 ? 1.3 : 2;
    for (const item of this.lit.model.catalogue.map.items) {
      const [x, y] = this.spots.get(item)!;
      brush.beginPath();
      brush.arc(x, y, r, 0, 2 * Math.PI);
      brush.fill();
    }
  }

  light(item: string | null): void {
    const spot = item === null ? undefined : this.spots.get(item);
    this.ring.setAttribute("visibility", spot ? "visible" : "hidden");
    this.tip.hidden = true;
    this.wanted = item ?? "";
    if (!spot) return;
    this.ring.setAttribute("cx", String(spot[0]));
    this.ring.setAttribute("cy", String(spot[1]));
  }

  private nearest(event: MouseEvent): string | null {
    const box = this.over.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * kSize, y = ((event.clientY - box.top) / box.height) * kSize;
    let best: string | null = null, distance = kReach;
    for (const [item, spot] of this.spots) {
      const lit = this.lit.candidates.has(item) || this.lit.history.has(item);
      const away = Math.hypot(spot[0] - x, spot[1] - y) - (lit ? 2 : 0); // lit items lie on top
      if (away < distance) [best, distance] = [item, away];
    }
    return best;
  }

  private async point(event: PointerEvent): Promise<void> {
    const item = this.nearest(event);
    if (item === this.wanted) return;
    this.light(item);
    if (item === null) return;
    await this.lit.model.learn([item]).catch(() => undefined);
    if (this.wanted !== item) return;
    const [x, y] = this.spots.get(item)!;
    this.tip.textContent = this.lit.model.item(item).title;
    this.tip.hidden = false;
    this.tip.classList.toggle("left", x > kSize / 2);
    this.tip.style.setProperty("--x", `${(100 * x) / kSize}%`);
    this.tip.style.setProperty("--y", `${(100 * y) / kSize}%`);
  }

  private click(event: MouseEvent): void {
    const item = this.nearest(event);
    if (item !== null) this.options.add(item);
  }
}
