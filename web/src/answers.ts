// The candidates for the current state: one list, or two to compare.
import type { Candidates } from "./calls";
import type { ServedModel } from "./served_model";
import type { State } from "./state";

export interface Answer {
  name: string;
  model: ServedModel;
  found: Candidates;
}
export interface Mark {
  only: boolean; // the other list lacks the item
  rise: number; // by how many ranks the item is higher than in the other list
}

export async function ask(
  state: State, model: ServedModel, other: ServedModel | null, signal: AbortSignal): Promise<Answer[]> {
  const answer = async (name: string, of: ServedModel, exact: boolean): Promise<Answer> => {
    const found = await of.retrieve(state, { explain: true, ...(exact ? { exact } : {}) }, signal);
    await of.learn(found.items, signal);
    return { name, model: of, found };
  };
  const { comparison } = state;
  if (comparison === "exact")
    return Promise.all([answer(`${model.card.index} index`, model, false), answer("exact search", model, true)]);
  if (comparison === "model" && other)
    return Promise.all([answer(model.catalogue.name, model, false), answer(other.catalogue.name, other, false)]);
  return [await answer(model.catalogue.name, model, false)];
}

// A mark for each item of a list, compared with another list.
export function marks(items: string[], other: string[]): Mark[] {
  const place = new Map(other.map((item, i) => [item, i]));
  return items.map((item, i) => ({ only: !place.has(item), rise: (place.get(item) ?? i) - i }));
}

export function inCommon(a: string[], b: string[]): number {
  const of_b = new Set(b);
  return a.filter((item) => of_b.has(item)).length;
}
