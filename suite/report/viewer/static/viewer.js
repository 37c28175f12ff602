/* A list of rows with its filters, and the sample that is chosen beside it; on a narrow screen in its place. */
"use strict";

const WIDE = window.matchMedia("(min-width: 64rem)");  // where list and sample stand beside each other
const ROOMY = window.matchMedia("(min-width: 40rem)");

/** The viewer that was used last: keys go there where nothing has the focus. @type {Viewer | null} */
let keysGoTo = null;

class Viewer {
  /**
   * @param {HTMLElement} root
   * @param {Model} model
   * @param {number} level of the sample's heading
   * @param {number} number of this viewer in the page, from 0
   */
  constructor(root, model, level, number) {
    this.number = number;
    this.root = root;
    this.model = model;
    this.level = level;
    this.row = -1;
    this.beside = "";
    this.turn = 0;
    this.own = "";  // the address as this page wrote it last
    this.begin = false;  // whether a sample is brought to the top once it is read
    this.written = "";  // the query that is being searched
    /** @type {number[]} */
    this.rows = [];
    /** @type {string[] | null} */
    this.previews = null;
    this.search = new Search(model.sources);
    this.filters = new Filters(model.facets, model.orders, model.natural, () => { this.#changed(); }, !ROOMY.matches);
    this.list = new RowList("Samples", (row) => model.describe(row), (row, entered) => { this.open(row, entered); });
    this.spoken = make("p", { class: "sv-unseen", role: "status" });
    this.notice = make("p", { class: "sv-failed", role: "alert", hidden: true });
    this.pane = make("section", { class: "sv-sample", "aria-label": "The chosen sample" });
    this.panes = make("div", { class: "sv-panes" }, make("div", { class: "sv-left" }, this.list.none, this.list.element), this.pane);
    const legend = model.legend();
    refill(root, this.filters.element, this.notice, legend.length > 0 && make("p", { class: "sv-legend" }, ...legend), this.panes, this.spoken);
    root.classList.add("sv-ready", `sv-${model.noun[1]}`);
    this.#close();
    root.addEventListener("focusin", () => { keysGoTo = this; });
    for (const one of number ? [this.filters.element, this.list.element, this.pane] : []) {  // each landmark has its name
      one.setAttribute("aria-label", `${one.getAttribute("aria-label")} ${number + 1}`);
    }
    document.addEventListener("keydown", (event) => { this.#key(event); });
  }

  /** Take over what the address names, and follow it from now on. */
  start() {
    window.addEventListener("hashchange", () => { this.#take(); });
    window.addEventListener("popstate", () => { this.#take(); });
    const named = this.#take();
    if (!named) { this.apply(); }
    if (named) {
      this.#scroll(this.root);
      this.begin = this.reading;
    }
    if (this.row < 0 && WIDE.matches && this.rows.length && this.notice.hidden) { this.#show(this.rows[0]); }
  }

  /** Filter, sort and draw the list anew. */
  apply() {
    const { model, filters, search } = this;
    const wanted = queryWords(filters.query);
    const passes = filters.passes();
    this.previews ??= wanted.length ? Array.from({ length: model.length }, (_, row) => model.preview(row).toLowerCase()) : null;
    const { previews } = this;
    const found = [];
    for (let row = 0; row < model.length; row += 1) {
      if (passes(row) && (!wanted.length || wanted.every((word) => previews?.[row].includes(word)) || model.hit(row, search.found))) { found.push(row); }
    }
    this.rows = sorted(found, ...filters.order());
    this.list.show(this.rows, this.row);
    filters.count.textContent = `${numberText(this.rows.length)} of ${counted(model.length, ...model.noun)}`;
    filters.progress.textContent = search.running ? `searching ${numberText(search.done)} of ${counted(search.total, "part")}` :
      search.failed ? `not all texts could be searched: ${search.failed}` : "";
    filters.gaps.textContent = search.running ? "" : search.gaps;
    this.#position();
  }

  /**
   * Choose a row. entered: to read it, not only to pass by.
   * @param {number} row
   * @param {boolean} entered
   */
  open(row, entered) {
    const narrow = !WIDE.matches;
    if (narrow && !entered && !this.reading) { this.row = row; this.list.activate(row); return; }
    const pushed = narrow && !this.reading;
    this.root.classList.toggle("sv-reading", true);
    this.#show(row);
    this.#write(pushed);
    this.begin = narrow;
    if (entered && (narrow || document.activeElement === this.list.element)) { this.#heading()?.focus({ preventScroll: !narrow }); }
  }

  /** @param {Element} element to the top of the window */
  #scroll(element) {
    element.scrollIntoView({ block: "start" });
  }

  get reading() {
    return this.root.classList.contains("sv-reading");
  }

  /** Whether another row stands beside the chosen one. */
  get sided() {
    return this.row >= 0 && this.model.others(this.row).some(([key]) => key === this.beside);
  }

  #heading() {
    return /** @type {HTMLElement | null} */ (this.pane.querySelector(".sv-sample-title"));
  }

  /** Show no sample. */
  #close() {
    this.row = -1;
    this.turn += 1;
    refill(this.pane, make("p", { class: "sv-note" }, "Choose a sample."));
  }

  /** @param {string} text that an address asks for what is not here */
  #warn(text) {
    refill(this.notice, words(text));
    this.notice.hidden = false;
  }

  /** Back to the list, on a narrow screen. */
  back() {
    if (window.history.state === "suite-sample") { window.history.back(); return; }
    this.#leave();
    this.#write(false);
  }

  #leave() {
    this.root.classList.remove("sv-reading");
    if (!WIDE.matches) {
      this.list.height = 0;
      this.list.activate(this.row);
      this.list.element.focus();
    }
  }

  /**
   * Draw a row in the pane; what was there stays until the new one is read.
   * @param {number} row
   */
  async #show(row) {
    this.row = row;
    this.turn += 1;
    this.notice.hidden = true;
    const { turn, model } = this;
    this.list.activate(row);
    const title = heading(this.level, { class: "sv-sample-title", tabindex: -1 }, words(model.identity(row).sample));
    const head = make("div", { class: "sv-head" }, this.#bar(row), title, make("div", { class: "sv-chips" }, ...model.head(row)));
    const body = make("div", { class: "sv-body" }, make("p", { class: "sv-note" }, "Reading …"));
    const at = this.pane.contains(document.activeElement) ? document.activeElement : null;
    const top = this.pane.getBoundingClientRect().top;
    refill(this.pane, head, body);
    if (at) {
      const again = /** @type {HTMLElement | null} */ (this.pane.querySelector(`[data-act="${at.getAttribute("data-act")}"]`));
      (again ?? title).focus({ preventScroll: true });
    }
    if (top < 0) { this.#scroll(this.pane); }
    this.#position();
    try {
      const drawn = await model.draw(row, this.beside, this.level + 1);
      if (turn === this.turn) {
        refill(body, ...drawn);
        if (this.begin) { this.#scroll(this.pane); }  // only now is the page long enough
        this.begin = false;
      }
    } catch (error) {
      if (turn === this.turn) { refill(body, make("p", { class: "sv-failed", role: "alert" }, `This sample cannot be shown: ${error instanceof Error ? error.message : error}`)); }
    }
  }

  /**
   * What one can do with a row.
   * @param {number} row
   */
  #bar(row) {
    const others = this.model.others(row);
    const named = this.sided ? this.beside : "";
    const beside = others.length ? make("select", { "data-act": "beside", onchange: () => { this.#besides(beside?.value ?? ""); } },
      make("option", { value: "" }, "alone"), ...others.map(([key, name]) => make("option", { value: key }, name))) : null;
    if (beside) { beside.value = named; }
    return make("div", { class: "sv-bar" },
      button("← All samples", () => { this.back(); }, { class: "sv-button sv-back", "data-act": "back" }),
      button("Previous", () => { this.step(-1); }, { "data-act": "previous", "aria-keyshortcuts": "k" }),
      button("Next", () => { this.step(1); }, { "data-act": "next", "aria-keyshortcuts": "j" }),
      make("span", { class: "sv-position" }),
      beside && make("label", { class: "sv-beside" }, "Side by side with", beside),
      button("Copy link", () => { this.#copy(); }, { "data-act": "copy" }));
  }

  /** Where the row stands in the list, beside the buttons. */
  #position() {
    const at = this.rows.indexOf(this.row);
    const place = this.pane.querySelector(".sv-position");
    if (place) { place.textContent = at < 0 ? "not in this list" : `${numberText(at + 1)} of ${numberText(this.rows.length)}`; }
    for (const [act, ends] of /** @type {[string, boolean][]} */ ([["previous", at === 0], ["next", at === this.rows.length - 1]])) {
      this.pane.querySelector(`[data-act=${act}]`)?.setAttribute("aria-disabled", String(ends || !this.rows.length));
    }
  }

  /**
   * To the next or previous row of the list.
   * @param {number} by
   */
  step(by) {
    const at = this.rows.indexOf(this.row);
    const next = at < 0 ? 0 : at + by;
    if (next < 0 || next >= this.rows.length) { return; }
    this.open(this.rows[next], false);
    if (document.activeElement !== this.list.element) { this.spoken.textContent = this.model.spoken(this.row); }
  }

  /**
   * Put another cell or trial beside the row.
   * @param {string} key "" for none
   */
  #besides(key) {
    this.beside = key;
    this.#show(this.row);
    this.#write(false);
  }

  async #copy() {
    this.#write(false);
    const link = window.location.href;
    try {
      await navigator.clipboard.writeText(link);
      this.spoken.textContent = "The link is copied.";
      this.#said("Copied");
    } catch {
      const field = make("input", { class: "sv-link", readonly: true, "aria-label": "Link to this sample" });
      field.value = link;
      this.pane.querySelector("[data-act=copy]")?.replaceWith(field);
      field.focus();
      field.select();
    }
  }

  /** @param {string} text on the button for a moment */
  #said(text) {
    const found = this.pane.querySelector("[data-act=copy]");
    if (!found) { return; }
    found.textContent = text;
    window.setTimeout(() => { found.textContent = "Copy link"; }, 1500);
  }

  #changed() {
    const { query } = this.filters;
    if (query !== this.written) {
      this.written = query;
      this.#search(queryWords(query));
    }
    this.notice.hidden = true;
    this.apply();
    this.#write(false);
  }

  /** @param {string[]} wanted */
  async #search(wanted) {
    this.search.stop();
    if (!wanted.length) { return; }
    let last = 0;
    await this.search.start(wanted, () => {
      const now = performance.now();
      if (now - last > 200 || !this.search.running) { last = now; this.apply(); }
    });
  }

  /** @param {boolean} pushed as a step that "back" undoes */
  #write(pushed) {
    const asked = new URLSearchParams();
    if (this.row >= 0 && (this.reading || this.beside)) {
      for (const [name, value] of Object.entries(this.model.identity(this.row))) { asked.set(name, value); }
      if (this.sided) { asked.set("beside", this.beside); }
    }
    for (const [name, value] of this.filters.asked) { asked.set(name, value); }
    const text = asked.toString();
    if (text && this.number) { asked.set("viewer", String(this.number)); }
    this.own = text ? `#${asked}` : "#samples";
    if (this.own === window.location.hash || (!text && !window.location.hash)) { return; }
    try {
      if (pushed) { window.history.pushState("suite-sample", "", this.own); } else { window.history.replaceState(window.history.state, "", this.own); }
    } catch {  // some browsers refuse it for files
      window.location.replace(this.own);
    }
  }

  /**
   * Take over the address. Returns whether it names anything of ours.
   * @returns {boolean}
   */
  #take() {
    const { hash } = window.location;
    if (hash === this.own) { return false; }
    this.own = hash;
    const given = new URLSearchParams(hash.slice(1));
    if (Number(given.get("viewer") ?? 0) !== this.number && hash) { return false; }
    const names = ["sample", "q", "sort", ...this.model.facets.map((one) => one.name)];
    const named = names.some((name) => given.has(name));
    if (!named && hash && hash !== "#samples") { return false; }  // a place of the page
    this.filters.take(given);
    this.beside = given.get("beside") ?? "";
    this.written = this.filters.query;
    this.#search(queryWords(this.written));
    this.apply();
    const sample = given.get("sample");
    const [cell, trial] = ["cell", "trial"].map((name) => given.get(name) ?? "");
    const row = sample === null ? -1 : this.model.find({ sample, cell, trial });
    this.notice.hidden = true;
    if (row >= 0) {
      this.root.classList.add("sv-reading");
      this.#show(row);
      if (this.beside && !this.sided) { this.#warn(`Sample ${sample} has nothing to stand beside it at ${this.beside}, so it is shown alone.`); }
    } else if (sample !== null) {
      const elsewhere = this.model.find({ sample, cell: "", trial: "" }) >= 0;
      if (this.reading) { this.#leave(); }
      this.#close();
      this.list.activate(-1);
      this.#warn(!elsewhere ? `There is no sample ${sample} here.` :
        `Sample ${sample} is here, but not in ${[cell && `cell ${cell}`, trial && `trial ${trial}`].filter(Boolean).join(", ")}.`);
    } else if (this.reading) {
      this.#leave();
    }
    return named;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = document.activeElement;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) { return; }
    if (at && at !== document.body ? !this.root.contains(at) : (keysGoTo ?? this).number !== this.number || (!keysGoTo && this.number > 0)) { return; }
    if (at && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) {
      if (event.key === "Escape" && at === this.filters.search) {
        if (this.filters.query || this.filters.search.value) { this.filters.search.value = ""; this.filters.ask("q", null); } else { this.list.element.focus(); }
      }
      return;
    }
    /** @type {{[key: string]: () => void}} */
    const acts = {
      j: () => { this.step(1); },
      k: () => { this.step(-1); },
      s: () => { this.#besides(this.sided ? "" : this.model.others(this.row)[0]?.[0] ?? ""); },
      "/": () => { if (this.reading && !WIDE.matches) { this.back(); } this.filters.search.focus(); },
      Escape: () => { if (this.sided) { this.#besides(""); } else if (this.reading && !WIDE.matches) { this.back(); } else { this.list.element.focus(); } },
    };
    const act = acts[event.key];
    if (act && (this.row >= 0 || event.key === "/" || event.key === "j")) { event.preventDefault(); act(); }
  }
}
