// One of the models that are looked at, with what has been learned of its items.
import type { Asker, Attributes, Calls, Catalogue, Candidates, Cell, ModelCard, RetrieveRequest } from "./calls";
import { joined, type State } from "./state";

export interface Item {
  id: string;
  title: string;
  count: number; // training rows
  attributes: Attributes;
}
export type Point = [number, number];

const kAtOnce = 200; // ids in one call

export class ServedModel {
  private readonly items = new Map<string, Item>();
  private readonly points = new Map<string, Point>();

  private constructor(readonly calls: Calls, readonly card: ModelCard, readonly catalogue: Catalogue) {
    catalogue.map.items.forEach((item, i) => this.points.set(item, catalogue.map.points[i]!));
  }

  static async open(calls: Calls): Promise<ServedModel> {
    return new ServedModel(calls, ...(await Promise.all([calls.model(), calls.catalogue()])));
  }

  // An item by id; if nothing was loaded for it, the id is all.
  item(id: string): Item {
    return this.items.get(id) ?? { id, title: id, count: 0, attributes: {} };
  }

  async learn(ids: string[], signal?: AbortSignal): Promise<void> {
    const missing = ids.filter((id) => !this.items.has(id));
    for (let from = 0; from < missing.length; from += kAtOnce) {
      const asked = missing.slice(from, from + kAtOnce);
      this.take(await this.calls.findItems({ items: asked, attributes: Object.keys(this.card.attributes) }, signal));
    }
  }

  async findItems(text: string, limit: number, signal: AbortSignal): Promise<Item[]> {
    const attributes = Object.keys(this.card.attributes);
    return this.take(await this.calls.findItems({ search: text, limit, attributes }, signal));
  }

  private take(found: { items: string[]; counts: number[]; attributes?: Attributes[] }): Item[] {
    return found.items.map((id, i) => {
      const attributes = found.attributes?.[i] ?? {};
      const title = this.catalogue.title ? attributes[this.catalogue.title] : null;
      const item = { id, title: title ? String(title) : id, count: found.counts[i] ?? 0, attributes };
      this.items.set(id, item);
      return item;
    });
  }

  // A bundle of bare vectors has no user tower: there, the query is the mean of the history's vectors.
  async retrieve(state: State, more: RetrieveRequest, signal: AbortSignal): Promise<Candidates> {
    const filter = joined(state.filters);
    const options = { k: state.k, exclude_seen: !state.seen, ...(filter ? { filter } : {}), ...more };
    if (this.card.info.towers) return this.calls.retrieve({ ...asker(state), ...options }, signal);
    const vector = await this.vector(state, signal);
    return this.calls.retrieve({ ...options, vector, ...(state.seen ? {} : { exclude: state.history ?? [] }) }, signal);
  }

  private async vector(state: State, signal: AbortSignal): Promise<number[]> {
    if (this.card.info.towers) return (await this.calls.encode({ users: [asker(state)] }, signal))[0]!;
    const mean = new Array<number>(this.card.info.dim).fill(0);
    const vectors = state.history?.length ? await this.calls.encode({ items: state.history }, signal) : [];
    for (const vector of vectors) vector.forEach((x, d) => (mean[d]! += x / vectors.length));
    return mean;
  }

  // Only the direction of a user's vector counts, so it is scaled to the mean length of the items' vectors.
  async userPoint(state: State, signal: AbortSignal): Promise<Point | null> {
    const vector = await this.vector(state, signal);
    const length = Math.hypot(...vector);
    return length > 0 ? this.point(vector.map((x) => (x / length) * this.catalogue.map.length)) : null;
  }

  async itemPoints(ids: string[], signal: AbortSignal): Promise<Map<string, Point>> {
    await this.learn(ids, signal);
    const missing = ids.filter((id) => !this.points.has(id) && this.items.has(id));
    for (let from = 0; from < missing.length; from += kAtOnce) {
      const asked = missing.slice(from, from + kAtOnce);
      const vectors = await this.calls.encode({ items: asked }, signal);
      asked.forEach((id, i) => this.points.set(id, this.point(vectors[i]!)));
    }
    return new Map(ids.flatMap((id) => (this.points.has(id) ? [[id, this.points.get(id)!]] : [])));
  }

  private point(vector: number[]): Point {
    const { centre, axes } = this.catalogue.map;
    const along = (axis: number[]): number => axis.reduce((sum, x, d) => sum + x * (vector[d]! - centre[d]!), 0);
    return [along(axes[0]), along(axes[1])];
  }
}

function asker(state: State): Asker {
  return { ...(state.user ? { user: state.user } : {}), ...(state.history ? { history: state.history } : {}) };
}

// A cell as the page shows it.
export function shown(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  if (Array.isArray(cell)) return cell.join(", ");
  if (typeof cell === "number") return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(4)));
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  return cell.replace(/^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?Z$/, "$1"); // only the day of a time
}
