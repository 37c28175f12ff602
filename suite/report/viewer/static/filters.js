/* The controls over the list: search, order, one control a facet; what is asked for is a map of names and texts. */
"use strict";

const MOST_OTHERS = 4;  // facets beside the first ones before they are folded

class Filters {
  /**
   * @param {Facet[]} facets
   * @param {Order[]} orders
   * @param {string} natural how the order of the rows themselves is called
   * @param {() => void} changed
   * @param {boolean} narrow where all facets are folded
   */
  constructor(facets, orders, natural, changed, narrow) {
    this.facets = facets;
    this.orders = orders;
    this.natural = natural;
    /** What is asked for, by name; "q" and "sort" too. @type {Map<string, string>} */
    this.asked = new Map();
    this.changed = changed;
    /** @type {Map<string, () => void>} */
    this.dress = new Map();
    this.count = make("span", { class: "sv-count", role: "status" });
    this.progress = make("span", { class: "sv-progress", role: "status" });
    this.gaps = make("span", { class: "sv-gaps", role: "status" });  // what a search does not reach
    this.clear = button("Clear all", () => { this.#clearAll(); }, { hidden: true });
    const others = facets.filter((one) => narrow || !one.first);
    const few = !narrow && others.length <= MOST_OTHERS;
    const shown = facets.filter((one) => few || !others.includes(one));
    this.folded = few ? [] : others;
    this.more = make("details", { class: "sv-more-filters" },
      make("summary", {}, counted(others.length, narrow ? "filter" : "more filter")),
      make("div", { class: "sv-controls" }, ...this.folded.map((one) => this.#control(one))));
    this.more.hidden = !this.folded.length;
    this.search = this.#search();
    this.element = make("form", { class: "sv-filters", role: "search", "aria-label": "Filter samples",
      onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); } },
      make("div", { class: "sv-controls" },
        make("label", { class: "sv-search" }, "Search", this.search),
        this.#order(),
        ...shown.map((one) => this.#control(one))),
      make("div", { class: "sv-under" }, make("div", { class: "sv-state" }, this.count, this.progress, this.gaps, this.clear), this.more));
  }

  /** @returns {string} */
  get query() {
    return this.asked.get("q") ?? "";
  }

  /** Whether a row passes everything but the search. */
  passes() {
    const tests = this.facets.flatMap((one) => { const wanted = this.asked.get(one.name); return wanted === undefined ? [] : [one.test(wanted)]; });
    return (/** @type {number} */ row) => tests.every((test) => test(row));
  }

  /**
   * The order asked for.
   * @returns {[Order | undefined, boolean]} and whether it goes down
   */
  order() {
    const asked = this.asked.get("sort") ?? "";
    return [this.orders.find((one) => one.name === asked.replace(/^-/, "")), asked.startsWith("-")];
  }

  /**
   * Take over what an address asks for; names that are not known are left out.
   * @param {URLSearchParams} given
   */
  take(given) {
    this.asked.clear();
    for (const name of ["q", "sort", ...this.facets.map((one) => one.name)]) {
      const wanted = given.get(name);
      const empty = wanted === "" && this.facets.some((one) => one.name === name && one.options.has(""));
      if (wanted || empty) { this.asked.set(name, wanted ?? ""); }
    }
    this.#show();
  }

  /**
   * @param {string} name
   * @param {string | null} wanted null for all
   */
  ask(name, wanted) {
    if (wanted === null) { this.asked.delete(name); } else { this.asked.set(name, wanted); }
    this.clear.hidden = this.asked.size === 0;
    this.changed();
  }

  #clearAll() {
    this.asked.clear();
    this.#show();
    this.search.focus();
    this.changed();
  }

  #show() {
    for (const dress of this.dress.values()) { dress(); }
    this.clear.hidden = this.asked.size === 0;
    if (this.folded.some((one) => this.asked.has(one.name))) { this.more.open = true; }
  }

  #search() {
    let timer = 0;
    const field = make("input", { type: "search", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/",
      placeholder: "id, question, answer, calls …" });
    field.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => { this.ask("q", field.value.trim() || null); }, 150);
    });
    this.dress.set("q", () => { field.value = this.query; });
    return field;
  }

  #order() {
    const select = make("select", {}, make("option", { value: "" }, this.natural),
      ...this.orders.map((one) => make("option", { value: one.name }, one.label)));
    const way = button("↑", () => { this.ask("sort", way.dataset.down ? select.value || null : `-${select.value}`); this.dress.get("sort")?.(); });
    select.addEventListener("change", () => {
      this.ask("sort", select.value && way.dataset.down ? `-${select.value}` : select.value || null);
      this.dress.get("sort")?.();
    });
    this.dress.set("sort", () => {
      const [order, down] = this.order();
      select.value = order?.name ?? "";
      way.textContent = down ? "↓" : "↑";
      way.setAttribute("aria-label", down ? "Descending; sort ascending" : "Ascending; sort descending");
      way.dataset.down = down ? "1" : "";
    });
    this.dress.get("sort")?.();
    return make("div", { class: "sv-order" }, make("label", {}, "Sort by", select), way);
  }

  /** @param {Facet} facet */
  #control(facet) {
    return facet.range ? this.#range(facet, facet.range) : facet.options.size > MOST_OPTIONS ? this.#typed(facet) : this.#choice(facet);
  }

  /** @param {Facet} facet */
  #choice(facet) {
    const keys = [...facet.options.keys()];  // options are known by their places: a key may be any text
    const options = [...facet.options].map(([key, [label, count]]) => make("option", { value: key }, `${label.slice(0, 80)} (${numberText(count)})`));
    const select = make("select", { onchange: () => { this.ask(facet.name, keys[select.selectedIndex - 1] ?? null); } },
      make("option", { value: "" }, "all"), ...options);
    this.dress.set(facet.name, () => {
      const wanted = this.asked.get(facet.name);
      const place = wanted === undefined ? 0 : keys.indexOf(wanted) + 1;
      select.selectedIndex = wanted === undefined || place > 0 ? place : -1;
    });
    return make("label", { title: facet.about || null }, words(facet.label), select);
  }

  /** @param {Facet} facet */
  #typed(facet) {
    const id = `sv-${facet.name.replace(/\W/g, "-")}-${this.dress.size}`;
    const names = [...facet.options.values()].map(([label]) => make("option", { value: label }));
    const field = make("input", { type: "search", list: id, autocomplete: "off", placeholder: `one of ${numberText(names.length)}`,
      onchange: () => {
        const text = field.value.trim();
        this.ask(facet.name, text === EMPTY && facet.options.has("") ? "" : text || null);
      } });
    this.dress.set(facet.name, () => {
      const wanted = this.asked.get(facet.name);
      field.value = wanted === "" ? EMPTY : wanted ?? "";
    });
    return make("div", {}, make("label", { title: facet.about || null }, words(facet.label), field), make("datalist", { id }, ...names.slice(0, 1000)));
  }

  /**
   * @param {Facet} facet
   * @param {[number, number]} range
   */
  #range(facet, [low, high]) {
    const changed = () => {
      const [from, to] = fields.map((field) => field.value.trim());
      this.ask(facet.name, from || to ? `${from}..${to}` : null);
    };
    const fields = [low, high].map((end, i) => make("input", { type: "number", step: "any", placeholder: numberText(end).replace(/,/g, ""),
      "aria-label": `${facet.label}, ${i ? "at most" : "at least"}`, onchange: changed }));
    this.dress.set(facet.name, () => {
      const wanted = (this.asked.get(facet.name) ?? "").split("..");
      fields.forEach((field, i) => { field.value = wanted[i] ?? ""; });
    });
    return make("div", { class: "sv-range", role: "group", title: facet.about || null }, words(facet.label),
      make("div", {}, fields[0], " – ", fields[1]));
  }
}
