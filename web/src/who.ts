// The user of the request: a known user, a history that you put together, or both.
import { Combobox } from "./combobox";
import { fill, found, h } from "./dom";
import { type ServedModel } from "./served_model";
import { type Store } from "./state";

const kSuggestions = 8, kExamples = 5, kHistory = 200;

export class Who {
  private readonly user: Combobox;
  private readonly item: Combobox;
  private readonly name = h("p", { class: "user" });
  private readonly examples = h("ul", { class: "examples", "aria-label": "Example users" });
  private readonly of_whom = h("h3", { id: "history-title" });
  private readonly list = h("ol", { class: "history", reversed: true, "aria-labelledby": "history-title" });
  private readonly back = h("button", {
    type: "button", class: "quiet", onclick: () => this.store.change({ history: null }),
  });
  private known: { user: string; seen: number; history: string[] } = { user: "", seen: 0, history: [] };

  constructor(private readonly store: Store, private readonly model: ServedModel) {
    this.user = new Combobox({
      id: "user", label: "User", placeholder: "Search a user by id",
      find: async (text, signal) => {
        const { users, seen } = await model.calls.findUsers({ search: text, limit: kSuggestions }, signal);
        return users.map((user, i) => ({
          value: user,
          shown: [h("span", {}, user), h("span", { class: "more" }, items(seen[i]!))],
        }));
      },
      take: (user) => store.change({ user, history: null }),
      takeText: (user) => store.change({ user, history: null }),
    });
    this.item = new Combobox({
      id: "item", label: "Add to the history", placeholder: "Search an item by its title",
      find: async (text, signal) => (await model.findItems(text, kSuggestions, signal)).map((item) => ({
        value: item.id,
        shown: [h("span", {}, item.title), h("span", { class: "more" }, item.title === item.id ? "" : item.id)],
      })),
      take: (item) => this.add(item),
    });
    fill(found("who"),
      h("h2", {}, "User and history"),
      model.card.info.towers && this.user.element,
      model.card.info.towers && this.examples,
      this.name,
      h("div", { class: "head" }, this.of_whom, this.back),
      this.list,
      this.item.element);
    this.list.addEventListener("keydown", (event) => this.press(event));
  }

  // Chooses a first user if the address names none.
  async begin(): Promise<void> {
    const { store, model } = this;
    const nobody = store.state.user === "" && store.state.history === null;
    if (!model.card.info.towers) {
      const first = (await model.calls.findItems({ limit: 1 })).items;
      if (nobody) store.change({ history: first }, "replace");
      return;
    }
    const { users } = await model.calls.findUsers({ limit: kExamples });
    const chip = (text: string, change: { user: string; history: string[] | null }): HTMLLIElement =>
      h("li", {}, h("button", {
        type: "button", class: "chip", "data-user": change.user, onclick: () => store.change(change),
      }, text));
    fill(this.examples,
      ...users.map((user) => chip(user, { user, history: null })),
      chip("no user", { user: "", history: [] }));
    if (nobody && users[0]) store.change({ user: users[0] }, "replace");
  }

  // The latest last.
  async history(signal: AbortSignal): Promise<string[]> {
    const { user, history } = this.store.state;
    if (user !== this.known.user) {
      const found = user ? await this.model.calls.findUsers({ users: [user], history: kHistory }, signal) : null;
      this.known = { user, seen: found?.seen[0] ?? -1, history: found?.histories?.[0] ?? [] };
    }
    return history ?? this.known.history;
  }

  add(item: string): void {
    const history = this.store.state.history ?? this.known.history;
    this.store.change({ history: [...history.filter((other) => other !== item), item] });
  }

  async show(signal: AbortSignal): Promise<void> {
    const history = await this.history(signal);
    await this.model.learn(history, signal);
    if (signal.aborted) return;
    const { user, history: own } = this.store.state;
    const unknown = this.known.seen < 0;
    if (user)
      fill(this.name, h("b", {}, user),
        unknown ? " is unknown: the answer depends on the history alone" : ` has seen ${items(this.known.seen)}`);
    else fill(this.name, this.model.card.info.towers && "No user");
    this.name.hidden = this.name.childNodes.length === 0;
    for (const button of this.examples.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String((button.dataset["user"] ?? "") === user));
    this.of_whom.textContent = own ? "History, changed here" : "History";
    this.back.hidden = !own || !user || unknown;
    this.back.textContent = "Back to the known history";
    const focused = this.list.contains(document.activeElement);
    fill(this.list, ...[...history].reverse().map((id, i) => {
      const { title } = this.model.item(id);
      return h("li", {}, h("span", { class: "title" }, title),
        h("button", {
          type: "button", class: "remove", "aria-label": `Remove ${title} from the history`, tabindex: i === 0 ? 0 : -1,
          onclick: () => this.store.change({ history: history.filter((other) => other !== id) }),
        }, "×"));
    }));
    if (history.length === 0)
      fill(this.list, h("li", { class: "empty" }, "Empty. Click items to put a history together."));
    if (focused) this.list.querySelector("button")?.focus();
  }

  private press(event: KeyboardEvent): void {
    const buttons = [...this.list.querySelectorAll("button")];
    const i = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = {
      ArrowDown: buttons[i + 1], ArrowUp: buttons[i - 1], Home: buttons[0], End: buttons[buttons.length - 1],
    }[event.key];
    if (i < 0 || !next) return;
    event.preventDefault();
    for (const button of buttons) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

function items(n: number): string {
  return n === 1 ? "1 item" : `${n} items`;
}
