// A labelling page: one sample at a time, labels by keys or buttons, kept in this browser, saved as a file.
// What it shows is text; no markup is ever made of it.
(() => {
"use strict";

/** @typedef {string | number} Label */
/** @typedef {{label?: Label, comment?: string, seconds: number, at?: string}} Said */
/** @typedef {{kind: string, title?: string, text?: string, facts?: Record<string, unknown>, columns?: string[], rows?: unknown[][], code?: string, turns?: {speaker: string, text: string, notes: string[]}[]}} LabelBlock */
/** @typedef {{id: string, blocks: LabelBlock[], answers: string[]}} LabelItem */
/** @typedef {{file: {page: string} & Record<string, unknown>, kind: string, value: string, limits: [number, number], question: string, withheld: string[], items: LabelItem[]}} LabelData */

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);

/**
 * An element with a class and children; a string becomes a text node.
 * @param {string} name @param {string} kind @param {(Node | string)[]} children @returns {HTMLElement}
 */
const make = (name, kind, ...children) => {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
};

/** @param {unknown} value @returns {string} */
const shownValue = (value) => value === null || value === undefined ? "–" : value === true ? "yes" : value === false ? "no" : String(value);

/** @param {LabelBlock} block @returns {Node[]} */
const inner = (block) => {
  if (block.turns) {
    return [make("div", "dialogue", ...block.turns.map((turn) => {
      const role = ["user", "assistant", "system", "tool"].includes(turn.speaker) ? turn.speaker : "";
      const notes = turn.notes.map((note) => make("span", "note", note));
      return make("div", `turn ${role}`, make("div", "who", turn.speaker, ...notes), make("div", "text", turn.text));
    }))];
  }
  if (block.facts) {
    return [make("dl", "facts", ...Object.entries(block.facts).flatMap(([name, value]) => [make("dt", "", name), make("dd", "", shownValue(value))]))];
  }
  if (block.columns && block.rows) {
    const head = make("tr", "", ...block.columns.map((name) => make("th", "", name)));
    const rows = block.rows.map((row) => make("tr", "", ...row.map((cell) => make("td", "", shownValue(cell)))));
    const wide = make("div", "wide", make("table", "", make("thead", "", head), make("tbody", "", ...rows)));
    return [reached(wide, "Table")];
  }
  if (block.code !== undefined) return [reached(make("pre", "", block.code), "Code")];
  return [make("div", "text", block.text ?? "")];
};

/** @param {HTMLElement} element @param {string} name @returns {HTMLElement} what scrolls can be reached by key */
const reached = (element, name) => {
  element.tabIndex = 0;
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", name);
  return element;
};

/** @param {LabelBlock} block @returns {HTMLElement} */
const drawn = (block) => make("div", "block", ...(block.title ? [make("h3", "", block.title)] : []), ...inner(block));

/** One page of labels. */
class Labels {
  /** @param {LabelData} data */
  constructor(data) {
    this.data = data;
    this.key = `suite-labels/${data.file.page}`;
    /** @type {Record<string, Said>} */
    this.said = {};
    /** @type {string[]} ids in the order of their labels */
    this.order = [];
    this.at = 0;
    this.since = performance.now();
    this.choices = this.offered();
  }

  /** @returns {{label: Label, text: string, keys: string[]}[]} */
  offered() {
    const named = (/** @type {string[][]} */ pairs) => pairs.map(([label, text, ...letters], i) => ({ label, text, keys: [String(i + 1), ...letters] }));
    if (this.data.kind === "flag") return named([["yes", "Yes", "y"], ["no", "No", "n"], ["unsure", "Cannot tell", "u"]]);
    if (this.data.kind === "pair") {
      return named([["first", "First answer"], ["second", "Second answer"], ["tie", "As good", "t"], ["unsure", "Cannot tell", "u"]]);
    }
    const [low, high] = this.data.limits;
    const width = high - low;
    const parts = Number.isInteger(width) && width > 1 && width < 9 ? width : 4; // whole numbers of a short scale, else five
    const steps = Array.from({ length: parts + 1 }, (_, i) => low + (width * i) / parts);
    return [...steps.map((step, i) => ({ label: step, text: String(step), keys: [String(i + 1)] })), { label: "unsure", text: "Cannot tell", keys: ["u"] }];
  }

  /** @returns {string} what is asked */
  question() {
    const name = this.data.value.replaceAll("_", " ");
    if (this.data.question) return this.data.question;
    if (this.data.kind === "pair") return "Which answer is better for the person who asked?";
    if (this.data.kind === "flag") return `${name}: does this hold for the answer?`;
    return `${name}: how much of it has the answer, from ${this.data.limits[0]} (least) to ${this.data.limits[1]} (most)?`;
  }

  /** @returns {LabelItem} */
  get item() { return this.data.items[this.at]; }

  /** @param {string} text */
  tell(text) { byId("label-told").textContent = text; }

  /** @param {LabelItem} item @returns {boolean} */
  labelled(item) { return this.said[item.id]?.label !== undefined; }

  /** Adds the time since the sample was opened, while the page was in sight. */
  stop() {
    const now = performance.now();
    const said = (this.said[this.item.id] ??= { seconds: 0 });
    if (!document.hidden) said.seconds += (now - this.since) / 1000;
    this.since = now;
  }

  /** @param {Label} label */
  answer(label) {
    this.stop();
    Object.assign(this.said[this.item.id], { label, at: new Date().toISOString() });
    this.order = [...this.order.filter((id) => id !== this.item.id), this.item.id];
    this.keep();
    if (this.data.items.every((one) => this.labelled(one))) {
      this.show(this.at, false);
      this.tell("All samples have a label. Save the file.");
      byId("label-save").focus();
    } else this.unlabelled();
  }

  /** Goes to the next sample without a label. */
  unlabelled() {
    const count = this.data.items.length;
    for (let step = 1; step <= count; step += 1) {
      const place = (this.at + step) % count;
      if (!this.labelled(this.data.items[place])) return this.show(place);
    }
  }

  undo() {
    const id = this.order.pop();
    if (id === undefined) return this.tell("There is no label to take back.");
    delete this.said[id].label;
    this.keep();
    this.show(this.data.items.findIndex((one) => one.id === id));
    this.tell("The last label was taken back.");
  }

  /** @param {number} place @param {boolean} [moves] whether the page goes to its beginning */
  show(place, moves = true) {
    if (place < 0 || place >= this.data.items.length) return;
    this.stop();
    this.at = place;
    const { item, data } = this;
    byId("label-place").textContent = `Sample ${place + 1} of ${data.items.length}`;
    byId("label-body").replaceChildren(...item.blocks.map(drawn));
    const both = item.answers.map((text, i) => make("section", "", make("h3", "", `${["First", "Second"][i]} answer`), make("div", "text", text)));
    byId("label-answers").className = both.length ? "answers" : "";
    byId("label-answers").replaceChildren(...both);
    for (const text of document.querySelectorAll("#label-item .text")) {
      if (text.scrollHeight > text.clientHeight) reached(/** @type {HTMLElement} */ (text), "Text");
    }
    const said = this.said[item.id];
    byId("label-comment").value = said?.comment ?? "";
    byId("label-back").disabled = place === 0;
    byId("label-skip").disabled = place === data.items.length - 1;
    for (const button of byId("label-choices").children) button.setAttribute("aria-pressed", String(button.value === String(said?.label)));
    const chosen = this.choices.find((one) => one.label === said?.label);
    byId("label-said").textContent = chosen ? `Your label: ${chosen.text}` : "No label yet.";
    this.count();
    if (moves) {
      byId("label-item").focus({ preventScroll: true });
      byId("label-item").scrollIntoView({ block: "start" });
    }
  }

  count() {
    const done = this.data.items.filter((one) => this.labelled(one)).length;
    byId("label-count").textContent = `${done} of ${this.data.items.length} labelled`;
    Object.assign(byId("label-progress"), { max: this.data.items.length, value: done });
    if (byId("label-text").open) byId("label-json").value = this.file();
  }

  /** Keeps what was said in this browser. */
  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify({ person: byId("label-person").value, said: this.said, order: this.order }));
    } catch {
      byId("label-notes").append(byId("label-notes").childElementCount > this.data.withheld.length ? "" :
        make("p", "", "This browser keeps nothing for this page: save the file before you close it."));
    }
  }

  /** Takes up what this browser kept. */
  restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
      if (kept) {
        this.said = kept.said;
        this.order = kept.order;
        byId("label-person").value = kept.person;
      }
    } catch {
      this.keep();
    }
  }

  /** @returns {string} the file */
  file() {
    const labels = this.data.items.filter((one) => this.labelled(one) || this.said[one.id]?.comment).map((one) => {
      const { label = null, comment = "", seconds, at = "" } = this.said[one.id];
      return { id: one.id, label, comment, seconds: Math.round(seconds * 10) / 10, at };
    });
    return JSON.stringify({ ...this.data.file, person: byId("label-person").value.trim(), labels }, null, 1);
  }

  save() {
    const person = byId("label-person").value.trim();
    if (!person) {
      byId("label-person").focus();
      return this.tell("Say who labels first: fill in the name at the top.");
    }
    const link = make("a", "");
    const address = URL.createObjectURL(new Blob([this.file()], { type: "application/json" }));
    const name = `labels-${person.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40)}-${this.data.file.page.slice(0, 6)}.json`;
    Object.assign(link, { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    this.tell(`Saved as ${name}.`);
  }

  /** @param {File} file */
  async load(file) {
    if (file.size > 50000000) return this.tell(`${file.name} has more than 50 MB: no page writes such a file.`);
    try {
      const read = JSON.parse(await file.text());
      if (read.page !== this.data.file.page) return this.tell(`${file.name} is of another page.`);
      const known = new Set(this.data.items.map((one) => one.id));
      const offered = new Set(this.choices.map((one) => one.label));
      const taken = read.labels.filter((/** @type {Said & {id: string}} */ one) => known.has(one.id) && (one.label === null || offered.has(/** @type {Label} */ (one.label))));
      for (const { id, label, comment, seconds, at } of taken) {
        this.said[id] = { label: label ?? undefined, comment: String(comment ?? ""), seconds: Number(seconds) || 0, at: String(at ?? "") };
      }
      this.order = [...this.order.filter((id) => !taken.some((/** @type {{id: string}} */ one) => one.id === id)), ...taken.map((/** @type {{id: string}} */ one) => one.id)];
      byId("label-person").value ||= String(read.person ?? "");
      this.keep();
      this.show(this.at, false);
      this.tell(`${taken.length} of ${read.labels.length} labels taken from ${file.name}.`);
    } catch {
      this.tell(`${file.name} is no file of this page.`);
    }
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (["INPUT", "TEXTAREA"].includes(target.tagName)) {
      if (event.key === "Escape") byId("label-item").focus();
      return;
    }
    const choice = this.choices.find((one) => one.keys.includes(event.key));
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => this.show(this.at - 1), ArrowRight: () => this.show(this.at + 1), o: () => this.unlabelled(),
      z: () => this.undo(), s: () => this.save(), c: () => byId("label-comment").focus(),
    };
    const act = choice ? () => this.answer(choice.label) : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  start() {
    const notes = this.data.withheld.map((name) => make("p", "", `This page holds rows of ${name}, which may not be passed on: give it to nobody who may not have them.`));
    byId("label-notes").append(...notes);
    byId("label-question").textContent = this.question();
    byId("label-choices").append(...this.choices.map(({ label, text, keys }) => {
      const button = /** @type {HTMLButtonElement} */ (make("button", "", `${text} `, make("kbd", "", keys.join(" "))));
      Object.assign(button, { type: "button", value: String(label) });
      button.setAttribute("aria-keyshortcuts", keys.join(" "));
      button.addEventListener("click", () => this.answer(label));
      return button;
    }));
    this.restore();
    const first = this.data.items.findIndex((one) => !this.labelled(one));
    this.show(Math.max(first, 0), false);
    /** @type {[string, string, (event: any) => void][]} */
    const heard = [
      ["label-back", "click", () => this.show(this.at - 1)], ["label-skip", "click", () => this.show(this.at + 1)],
      ["label-open", "click", () => this.unlabelled()], ["label-undo", "click", () => this.undo()], ["label-save", "click", () => this.save()],
      ["label-load", "change", (event) => { this.load(event.target.files[0]); event.target.value = ""; }],
      ["label-person", "input", () => { this.keep(); this.count(); }],
      ["label-comment", "input", (event) => { (this.said[this.item.id] ??= { seconds: 0 }).comment = event.target.value; this.keep(); }],
      ["label-text", "toggle", () => this.count()], ["label-who", "submit", (event) => event.preventDefault()],
    ];
    for (const [id, name, act] of heard) byId(id).addEventListener(name, act);
    document.addEventListener("keydown", (event) => this.press(event));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.said[this.item.id] = { ...this.said[this.item.id], seconds: (this.said[this.item.id]?.seconds ?? 0) + (performance.now() - this.since) / 1000 };
      this.since = performance.now();
    });
  }
}

new Labels(JSON.parse(byId("label-data").textContent)).start();
})();
