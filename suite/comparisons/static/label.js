// A labelling page: one sample at a time, labels by keys or buttons, kept in this browser, saved as a file.
// What it shows is text; no markup is ever made of it.
/// <reference path="../../report/viewer/static/types.d.ts" />
/// <reference path="../../report/viewer/static/elements.js" />
/// <reference path="../../report/viewer/static/numbers.js" />
/// <reference path="../../report/viewer/static/blocks.js" />
"use strict";

/** @typedef {string | number} Label */
/** @typedef {{label?: Label, comment?: string, seconds: number, at?: string}} SaidLabel */
/** @typedef {{said: Record<string, SaidLabel>, order: string[]}} PersonLabels order: ids as they were labelled */
/** @typedef {{id: string, blocks: Block[], answers: string[]}} LabelItem */
/** @typedef {{file: {page: string} & Record<string, unknown>, kind: string, value: string, limits: [number, number], question: string, withheld: string[], items: LabelItem[]}} LabelData */

/** @param {string} id @returns {any} */
const labelPart = (id) => document.getElementById(id);

/** One page of labels. */
class Labels {
  /** @param {LabelData} data */
  constructor(data) {
    this.data = data;
    this.key = `suite-labels/${data.file.page}`;
    this.person = "";
    /** @type {Record<string, PersonLabels>} by `place` of the name */
    this.people = {};
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

  /** @param {string} name @returns {string} */
  place(name) { return `of ${name.toLowerCase()}`; }

  /** @returns {PersonLabels} of whoever labels now */
  get own() { return (this.people[this.place(this.person)] ??= { said: {}, order: [] }); }

  get said() { return this.own.said; }

  /** @returns {LabelItem} */
  get item() { return this.data.items[this.at]; }

  /** @param {string} text */
  tell(text) { labelPart("label-told").textContent = text; }

  /** @param {LabelItem} item @returns {boolean} */
  labelled(item) { return this.said[item.id]?.label !== undefined; }

  /** Adds the time since the sample was opened, while the page was in sight. */
  stop() {
    const now = performance.now();
    const said = (this.said[this.item.id] ??= { seconds: 0 });
    if (!document.hidden) said.seconds += (now - this.since) / 1000;
    this.since = now;
  }

  /** @param {string} name another person, with labels of their own */
  become(name) {
    const before = this.person;
    if (name === before) return;
    this.stop();
    const known = this.place(name) in this.people;
    const left = this.own.order.length;
    this.person = name;
    if (!before) this.take("");
    const asks = before && name && left && !known && this.place(name) !== this.place(before);
    labelPart("label-mine").hidden = !asks;
    if (asks) {
      Object.assign(labelPart("label-mine"), { value: before, textContent: `I am ${before}: label on as ${name}` });
      this.tell(`${name} starts anew. The labels of ${before} are kept under that name.`);
    } else this.tell(known && name ? `${name} goes on.` : "");
    labelPart("label-person").value = name;
    this.keep();
    this.show(Math.max(this.data.items.findIndex((one) => !this.labelled(one)), 0), false);
  }

  /** @param {string} name whose labels become those of whoever labels now; these have precedence */
  take(name) {
    const { said, order } = this.people[this.place(name)] ?? { said: {}, order: [] };
    delete this.people[this.place(name)];
    this.people[this.place(this.person)] = { said: { ...said, ...this.said }, order: [...new Set([...order, ...this.own.order])] };
    this.keep();
    this.show(Math.max(this.data.items.findIndex((one) => !this.labelled(one)), 0), false);
  }

  /** @returns {boolean} whether somebody has said who labels; asks for the name otherwise */
  known() {
    if (!this.person) {
      labelPart("label-person").focus();
      this.tell("Say who labels first: fill in the name at the top.");
    }
    return Boolean(this.person);
  }

  /** @param {Label} label */
  answer(label) {
    if (!this.known()) return;
    this.stop();
    Object.assign(this.said[this.item.id], { label, at: new Date().toISOString() });
    this.own.order = [...this.own.order.filter((id) => id !== this.item.id), this.item.id];
    this.keep();
    if (this.data.items.every((one) => this.labelled(one))) {
      this.show(this.at, false);
      this.tell("All samples have a label. Save the file.");
      labelPart("label-save").focus();
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
    const id = this.own.order.pop();
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
    labelPart("label-place").textContent = `Sample ${place + 1} of ${data.items.length}`;
    labelPart("label-body").replaceChildren(...item.blocks.map((block) => drawBlock(block, 3)));
    const both = item.answers.map((text, i) => make("section", {}, make("h3", {}, `${["First", "Second"][i]} answer`), passage([text], text)));
    labelPart("label-answers").className = both.length ? "answers" : "";
    labelPart("label-answers").replaceChildren(...both);
    const said = this.said[item.id];
    labelPart("label-comment").value = said?.comment ?? "";
    labelPart("label-back").disabled = place === 0;
    labelPart("label-skip").disabled = place === data.items.length - 1;
    for (const button of labelPart("label-choices").children) button.setAttribute("aria-pressed", String(button.value === String(said?.label)));
    const chosen = this.choices.find((one) => one.label === said?.label);
    labelPart("label-said").textContent = chosen ? `Your label: ${chosen.text}` : "No label yet.";
    this.count();
    if (moves) {
      labelPart("label-item").focus({ preventScroll: true });
      labelPart("label-item").scrollIntoView({ block: "start" });
    }
  }

  count() {
    const done = this.data.items.filter((one) => this.labelled(one)).length;
    labelPart("label-count").textContent = `${done} of ${this.data.items.length} labelled`;
    Object.assign(labelPart("label-progress"), { max: this.data.items.length, value: done });
    if (labelPart("label-text").open) labelPart("label-json").value = this.file();
  }

  /** Keeps what was said in this browser. */
  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify({ person: this.person, people: this.people }));
    } catch {
      labelPart("label-notes").append(labelPart("label-notes").childElementCount > this.data.withheld.length ? "" :
        make("p", {}, "This browser keeps nothing for this page: save the file before you close it."));
    }
  }

  /** Takes up what this browser kept. */
  restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
      if (kept) {
        this.person = labelPart("label-person").value = String(kept.person ?? "").trim();
        this.people = kept.people ?? {};
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
    return JSON.stringify({ ...this.data.file, person: this.person, labels }, null, 1);
  }

  save() {
    if (!this.known()) return;
    const { person } = this;
    const link = make("a");
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
      const person = String(read.person ?? "").trim();
      if (!this.person) this.become(person);
      if (person && this.place(person) !== this.place(this.person)) {
        return this.tell(`${file.name} holds labels of ${person}, you are ${this.person}. To open it, put that name in at the top.`);
      }
      const known = new Set(this.data.items.map((one) => one.id));
      const offered = new Set(this.choices.map((one) => one.label));
      const taken = read.labels.filter((/** @type {SaidLabel & {id: string}} */ one) => known.has(one.id) && (one.label === null || offered.has(/** @type {Label} */ (one.label))));
      for (const { id, label, comment, seconds, at } of taken) {
        this.said[id] = { label: label ?? undefined, comment: String(comment ?? ""), seconds: Number(seconds) || 0, at: String(at ?? "") };
      }
      this.own.order = [...this.own.order.filter((id) => !taken.some((/** @type {{id: string}} */ one) => one.id === id)), ...taken.map((/** @type {{id: string}} */ one) => one.id)];
      this.keep();
      this.show(this.at, false);
      this.tell(`${taken.length} of ${read.labels.length} labels taken from ${file.name}.`);
    } catch {
      this.tell(`${file.name} is no file of this page.`);
    }
  }

  /** Deletes what this person said; asks a second time. */
  anew() {
    const button = labelPart("label-anew");
    if (!button.dataset.sure) {
      button.dataset.sure = "yes";
      button.textContent = "Delete these labels?";
      return this.tell(`Press it again to delete the labels of ${this.person || "this page"} in this browser. Save the file first.`);
    }
    delete button.dataset.sure;
    button.textContent = "Start anew";
    this.people[this.place(this.person)] = { said: {}, order: [] };
    this.become("");
    this.show(0);
    this.tell("These labels are deleted.");
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (["INPUT", "TEXTAREA"].includes(target.tagName)) {
      if (event.key === "Escape") labelPart("label-item").focus();
      return;
    }
    const choice = this.choices.find((one) => one.keys.includes(event.key));
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => this.show(this.at - 1), ArrowRight: () => this.show(this.at + 1), o: () => this.unlabelled(),
      z: () => this.undo(), s: () => this.save(), c: () => labelPart("label-comment").focus(),
    };
    const act = choice ? () => this.answer(choice.label) : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  start() {
    const notes = this.data.withheld.map((name) => make("p", {}, `This page holds rows of ${name}, which may not be passed on: give it to nobody who may not have them.`));
    labelPart("label-notes").append(...notes);
    labelPart("label-question").textContent = this.question();
    labelPart("label-choices").append(...this.choices.map(({ label, text, keys }) => {
      const given = { type: "button", value: label, "aria-keyshortcuts": keys.join(" "), onclick: () => this.answer(label) };
      return make("button", given, `${text} `, make("kbd", {}, keys.join(" ")));
    }));
    this.restore();
    const first = this.data.items.findIndex((one) => !this.labelled(one));
    this.show(Math.max(first, 0), false);
    /** @type {[string, string, (event: any) => void][]} */
    const heard = [
      ["label-back", "click", () => this.show(this.at - 1)], ["label-skip", "click", () => this.show(this.at + 1)],
      ["label-open", "click", () => this.unlabelled()], ["label-undo", "click", () => this.undo()], ["label-save", "click", () => this.save()], ["label-anew", "click", () => this.anew()],
      ["label-load", "change", (event) => { this.load(event.target.files[0]); event.target.value = ""; }],
      ["label-person", "change", (event) => this.become(event.target.value.trim())],
      ["label-mine", "click", (event) => { this.take(event.target.value); event.target.hidden = true; this.tell(`The labels are those of ${this.person} now.`); }],
      ["label-comment", "input", (event) => { (this.said[this.item.id] ??= { seconds: 0 }).comment = event.target.value; this.keep(); }],
      ["label-text", "toggle", () => this.count()], ["label-who", "submit", (event) => { event.preventDefault(); labelPart("label-item").focus(); }],
    ];
    for (const [id, name, act] of heard) labelPart(id).addEventListener(name, act);
    document.addEventListener("keydown", (event) => this.press(event));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.said[this.item.id] = { ...this.said[this.item.id], seconds: (this.said[this.item.id]?.seconds ?? 0) + (performance.now() - this.since) / 1000 };
      this.since = performance.now();
    });
  }
}

new Labels(JSON.parse(labelPart("label-data").textContent)).start();
