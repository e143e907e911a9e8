// The API key, if the server needs one. The page asks for it once and keeps it until the tab closes.
import type { KeyHolder } from "./calls";
import { fill, found, h } from "./dom";

const kKept = "pagoda.key";

export class Key implements KeyHolder {
  key = sessionStorage.getItem(kKept) ?? "";
  private asking: Promise<void> | null = null;

  // Several calls may be refused at once: asks the user once, and not at all if there is a newer key than `refused`.
  ask(why: string, refused: string): Promise<void> {
    if (!this.asking && refused !== this.key) return Promise.resolve();
    const shown = refused ? why : "This server needs an API key.";
    this.asking ??= this.show(shown).finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private show(why: string): Promise<void> {
    const dialog = found<HTMLDialogElement>("key");
    const input = h("input",
      { type: "password", id: "key-text", autocomplete: "off", required: true, spellcheck: "false" });
    return new Promise((done) => {
      const take = (event: SubmitEvent): void => {
        event.preventDefault();
        this.key = input.value.trim();
        sessionStorage.setItem(kKept, this.key);
        dialog.close();
        done();
      };
      fill(dialog, h("form", { onsubmit: take },
        h("h2", {}, "API key"),
        h("p", { id: "key-why" }, why),
        h("label", { for: "key-text" }, "Key"),
        input,
        h("p", { class: "hint" }, "A key with the role read is enough. The page keeps it until you close this tab."),
        h("button", { type: "submit", class: "main" }, "Use this key")));
      dialog.oncancel = (event) => event.preventDefault();
      dialog.showModal();
      input.focus();
    });
  }
}
