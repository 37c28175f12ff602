/* A list of rows of one height, of which only those in sight are in the page. The list itself has the focus, the row
   that is chosen is its active descendant, so the focus stays where rows change. */
"use strict";

const SPARE = 8;  // rows drawn beyond what is in sight

class RowList {
  /**
   * @param {string} label
   * @param {(row: number) => Child[]} describe in lines of text, as many in each row
   * @param {(row: number, entered: boolean) => void} chosen by a key, or entered by a click or Enter
   */
  constructor(label, describe, chosen) {
    this.describe = describe;
    this.chosen = chosen;
    /** @type {number[]} */
    this.rows = [];
    this.active = -1;  // a place in the rows
    this.height = 0;
    /** @type {Map<number, HTMLElement>} */
    this.drawn = new Map();
    this.prefix = `sv-${Math.random().toString(36).slice(2, 8)}`;
    this.space = make("div", { class: "sv-space", role: "presentation" });
    this.element = make("div", { class: "sv-list", role: "listbox", tabindex: 0, "aria-label": label,
      onkeydown: (/** @type {KeyboardEvent} */ event) => { this.#key(event); } }, this.space);
    this.none = make("p", { class: "sv-none", hidden: true }, "No sample matches.");
    let waiting = false;
    const later = () => {
      if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; this.draw(); }); }
    };
    this.element.addEventListener("scroll", later, { passive: true });
    window.addEventListener("scroll", later, { passive: true });
    window.addEventListener("resize", () => { this.height = 0; later(); });
  }

  /**
   * Show these rows; the row that was active stays so if it is still among them.
   * @param {number[]} rows
   * @param {number} row that is to be active, -1 for none
   */
  show(rows, row) {
    this.rows = rows;
    this.active = row < 0 ? -1 : rows.indexOf(row);
    this.none.hidden = rows.length > 0;
    this.element.hidden = rows.length === 0;
    this.#forget();
    this.draw();
  }

  /**
   * Make a row active and bring it in sight.
   * @param {number} row
   */
  activate(row) {
    this.active = this.rows.indexOf(row);
    this.draw();
    if (this.active < 0 || !this.height) { return; }
    const top = this.active * this.height;
    const { element } = this;
    if (element.scrollHeight > element.clientHeight + 1) {
      const least = top + this.height - element.clientHeight;
      if (element.scrollTop > top) { element.scrollTop = top; } else if (element.scrollTop < least) { element.scrollTop = least; }
    } else {
      this.drawn.get(this.active)?.scrollIntoView({ block: "nearest" });
    }
    this.draw();
  }

  /** Draw what is in sight. */
  draw() {
    if (!this.rows.length || !this.element.isConnected) { return; }
    if (!this.height) { this.#measure(); }
    if (!this.height) { return; }
    this.space.style.setProperty("height", `${this.rows.length * this.height}px`);
    const [frame, space] = [this.element.getBoundingClientRect(), this.space.getBoundingClientRect()];
    const first = Math.floor((Math.max(frame.top, 0) - space.top) / this.height) - SPARE;
    const last = Math.ceil((Math.min(frame.bottom, window.innerHeight) - space.top) / this.height) + SPARE;
    const wanted = new Set(this.active >= 0 ? [this.active] : []);
    for (let at = Math.max(first, 0); at < Math.min(last, this.rows.length); at += 1) { wanted.add(at); }
    for (const [at, element] of this.drawn) {
      if (!wanted.has(at)) { element.remove(); this.drawn.delete(at); }
    }
    for (const at of [...wanted].sort((a, b) => a - b)) { this.#place(at); }
    const active = this.drawn.get(this.active);
    if (active) { this.element.setAttribute("aria-activedescendant", active.id); } else { this.element.removeAttribute("aria-activedescendant"); }
  }

  /** @param {number} at */
  #place(at) {
    let found = this.drawn.get(at);
    if (!found) {
      found = make("div", { class: "sv-row", role: "option", id: `${this.prefix}-${at}`, "aria-posinset": at + 1,
        "aria-setsize": this.rows.length, onclick: () => { this.chosen(this.rows[at], true); } }, ...this.describe(this.rows[at]));
      found.style.setProperty("top", `${at * this.height}px`);
      const after = [...this.drawn.keys()].filter((one) => one > at).sort((a, b) => a - b)[0];
      this.space.insertBefore(found, after === undefined ? null : this.drawn.get(after) ?? null);
      this.drawn.set(at, found);
    }
    found.setAttribute("aria-selected", String(at === this.active));
  }

  #measure() {
    this.#forget();
    const one = make("div", { class: "sv-row", role: "option", "aria-selected": "false" }, ...this.describe(this.rows[0]));
    this.space.style.setProperty("--sv-row", "auto");
    this.space.append(one);
    this.height = Math.ceil(one.getBoundingClientRect().height);
    this.space.style.setProperty("--sv-row", `${this.height}px`);
    one.remove();
  }

  #forget() {
    for (const one of this.drawn.values()) { one.remove(); }
    this.drawn.clear();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    const page = Math.max(Math.floor(Math.min(this.element.clientHeight, window.innerHeight) / (this.height || 1)) - 1, 1);
    const last = this.rows.length - 1;
    /** @type {{[key: string]: number}} */
    const moves = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: last,
      PageDown: this.active + page, PageUp: this.active - page };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (this.active >= 0) { this.chosen(this.rows[this.active], true); }
    } else if (event.key in moves && last >= 0) {
      event.preventDefault();
      this.chosen(this.rows[Math.min(Math.max(moves[event.key], 0), last)], false);
    }
  }
}
