// What the present state asks for: one list, or two that are compared.
import type { Candidates } from "./calls";
import type { Side } from "./side";
import type { State } from "./state";

export interface Answer {
  name: string;
  side: Side;
  found: Candidates;
}
export interface Mark {
  only: boolean; // the other list does not have it
  rise: number; // places above where the other list has it
}

export async function ask(state: State, side: Side, beside: Side | null, signal: AbortSignal): Promise<Answer[]> {
  const answer = async (name: string, of: Side, exact: boolean): Promise<Answer> => {
    const found = await of.retrieve(state, { explain: true, ...(exact ? { exact } : {}) }, signal);
    await of.learn(found.items, signal);
    return { name, side: of, found };
  };
  const { comparison } = state;
  if (comparison === "exact") return Promise.all([answer(`${side.model.index} index`, side, false), answer("exact search", side, true)]);
  if (comparison === "beside" && beside)
    return Promise.all([answer(side.catalogue.name, side, false), answer(beside.catalogue.name, beside, false)]);
  return [await answer(side.catalogue.name, side, false)];
}

// Of each item of a list against another.
export function marks(items: string[], other: string[]): Mark[] {
  const place = new Map(other.map((item, i) => [item, i]));
  return items.map((item, i) => ({ only: !place.has(item), rise: (place.get(item) ?? i) - i }));
}

export function inCommon(a: string[], b: string[]): number {
  const of_b = new Set(b);
  return a.filter((item) => of_b.has(item)).length;
}
