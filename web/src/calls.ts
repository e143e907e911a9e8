// The server's calls, as docs/serve.md and /openapi.json describe them.

export type Cell = string | number | boolean | null | string[];
export type Attributes = Record<string, Cell>;

export interface Explain {
  plan: string;
  selectivity: number;
  lists_probed: number;
  vectors_scored: number;
  vectors_reranked: number;
  boosted: number;
  live_events: number;
  times_ms: Record<string, number>;
}
export interface Candidates {
  user_known: boolean;
  items: string[];
  scores: number[];
  model: string;
  explain?: Explain;
}
export interface Asker {
  user?: string;
  history?: string[];
}
export interface RetrieveRequest extends Asker {
  vector?: number[];
  k?: number;
  filter?: string;
  exclude?: string[];
  exclude_seen?: boolean;
  exact?: boolean;
  explain?: boolean;
}
export interface FoundItems {
  items: string[];
  counts: number[];
  attributes?: Attributes[];
}
export interface FoundUsers {
  users: string[];
  seen: number[];
  histories?: string[][];
}
export interface Bucket {
  bucket: string;
  least_count: number;
  items: number;
  rows: number;
}
export interface Plane {
  items: string[];
  points: [number, number][];
  centre: number[];
  axes: [number[], number[]];
  length: number;
  variance: number;
}
export interface Catalogue {
  name: string;
  items: number;
  training_rows: number;
  title: string | null; // the attribute that shows an item's name
  compare: boolean; // the server has a second model, whose calls begin with compare/
  popularity: Bucket[];
  map: Plane;
}
export interface ModelCard {
  fingerprint: string;
  info: { towers: boolean; items: number; users: number; dim: number };
  index: string;
  attributes: Record<string, string>;
}

// An error of the server, or of the connection to it. `field`: the wrong field of the request.
export class CallError extends Error {
  constructor(readonly status: number, message: string, readonly field: string) {
    super(message);
  }
}

// Parses JSON. An integer beyond the safe range becomes the text of its digits, in browsers that pass the source text
// to the reviver.
function exactly<T>(text: string): T {
  const exact = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    const rounded = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "");
    return rounded ? context?.source : value;
  };
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as T;
}

// Keeps the API key, and asks the user for another one.
export interface KeyHolder {
  readonly key: string;
  ask(why: string, refused: string): Promise<void>;
}

export class Calls {
  // `base`: "" or "compare/".
  constructor(private readonly base: string, private readonly keys: KeyHolder) {}

  model = (): Promise<ModelCard> => this.call("v1/model");
  catalogue = (): Promise<Catalogue> => this.call("v1/catalogue");
  retrieve = (request: RetrieveRequest, signal?: AbortSignal): Promise<Candidates> =>
    this.call("v1/retrieve", request, signal);
  findItems = (
    request: { search?: string; items?: string[]; limit?: number; attributes?: string[] },
    signal?: AbortSignal): Promise<FoundItems> => this.call("v1/items:find", request, signal);
  findUsers = (
    request: { search?: string; users?: string[]; limit?: number; history?: number },
    signal?: AbortSignal): Promise<FoundUsers> => this.call("v1/users:find", request, signal);
  encode = async (what: { users?: Asker[]; items?: string[] }, signal?: AbortSignal): Promise<number[][]> =>
    (await this.call<{ vectors: number[][] }>("v1/encode", what, signal)).vectors;

  private async call<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
    for (;;) {
      const key = this.keys.key;
      let reply: Response;
      try {
        reply = await fetch(this.base + path, {
          method: body ? "POST" : "GET",
          headers: key ? { Authorization: `Bearer ${key}` } : {},
          ...(body ? { body: JSON.stringify(body) } : {}),
          ...(signal ? { signal } : {}),
        });
      } catch (error) {
        if (signal?.aborted) throw error;
        throw new CallError(0, "The server does not answer. Is it still running?", "");
      }
      if (reply.ok) return exactly<T>(await reply.text());
      const said = await reply.json().then((answer) => answer.error, () => null);
      const message: string = said?.message ?? `the server answered with status ${reply.status}`;
      if (reply.status !== 401 && reply.status !== 403) throw new CallError(reply.status, message, said?.field ?? "");
      await this.keys.ask(message, key);
    }
  }
}
