/* Sorting, filtering and deep links for the big table of a board. Everything is readable without it.
   Rows beyond the page's own come from a script of data; text only ever becomes text nodes. */
(() => {
  "use strict";

  /** @typedef {[text: string, key: string | number | null, below: string, marks: string[]]} Cell */
  /** @typedef {{availability: string, organisation: string, zero: string, ranked: string}} Facets */
  /** @typedef {[short: string, href: string, facets: Facets, cells: Cell[]]} Row */
  /** @typedef {Record<string, string>} State */

  const STEP = 200;
  const found = document.getElementById("board");
  if (!(found instanceof HTMLTableElement)) {
    return;
  }
  const table = found;
  const heads = [...(table.tHead?.rows[0].cells ?? [])];
  /** @type {State} */
  const before = { sort: "", dir: "", q: "", availability: "", zero: "", best: "", more: "" };
  /** @type {State} */
  let state = { ...before };
  /** @type {Row[]} */
  let data = [];
  /** @type {(() => void)[]} */
  let waiting = [];
  /** @type {string[]} */
  let searched = [];
  let [loaded, asked, shown, own] = [false, false, STEP, ""];

  Object.assign(window, {
    suiteBoard: {
      /** @param {Row[]} given */
      rows: (given) => {
        data = given;
        loaded = true;
        waiting.splice(0).forEach((then) => then());
      },
    },
  });

  /** @type {(id: string) => HTMLElement} */
  const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  /** @type {(id: string) => HTMLInputElement} */
  const field = (id) => /** @type {HTMLInputElement} */ (at(id));
  /** @type {(key: string) => number} */
  const place = (key) => heads.findIndex((head) => head.dataset.k === key);
  /** @type {(number: number) => string} */
  const count = (number) => `${number.toLocaleString("en")} ${number === 1 ? "entry" : "entries"}`;

  /** @type {(then: () => void) => void} */
  function withRows(then) {
    if (loaded) {
      then();
      return;
    }
    waiting.push(then);
    if (!asked) {
      asked = true;
      const script = document.createElement("script");
      script.src = table.dataset.rows ?? "";
      document.head.append(script);
    }
  }

  /** @type {<K extends keyof HTMLElementTagNameMap>(tag: K, text: string, style?: string) => HTMLElementTagNameMap[K]} */
  function element(tag, text, style = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    if (style) {
      made.className = style;
    }
    return made;
  }

  /** @type {(one: Row) => HTMLTableRowElement} */
  function row([short, href, , cells]) {
    const made = element("tr", "");
    made.id = `e-${short}`;
    cells.forEach(([text, , below, marks], index) => {
      const { kind, g } = heads[index].dataset;
      let into;
      if (kind === "model") {
        into = element("th", "");
        into.scope = "row";
        const link = element("a", text);
        link.href = table.dataset.root + href;
        into.append(link);
      } else {
        into = element("td", text, (kind === "text" ? "t" : "n") + (g ? " m" : ""));
      }
      if (below) {
        into.append(element("small", below));
      }
      into.append(...marks.map((mark) => element("span", mark, "mark")));
      made.append(into);
    });
    return made;
  }

  /** What the search looks at: model, organisation, submitter. @type {(index: number) => string} */
  function text(index) {
    if (!searched.length) {
      const where = [place("model"), place("submitter")].filter((one) => one >= 0);
      searched = data.map(([, , , cells]) =>
        where.map((one) => `${cells[one][0]} ${cells[one][2]}`).join(" ").toLowerCase());
    }
    return searched[index];
  }

  /** @type {() => string} */
  function direction() {
    return state.dir || heads[place(state.sort || "rank")]?.dataset.d || "ascending";
  }

  /** @type {() => Row[]} */
  function chosen() {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const column = Math.max(0, place(state.sort || "rank"));
    const sign = direction() === "descending" ? -1 : 1;
    const seen = new Set();
    return data
      .map((one, index) => ({ one, index, key: one[3][column][1] }))
      .filter(({ one: [, , facets], index }) =>
        words.every((word) => text(index).includes(word)) &&
        (!state.availability || facets.availability === state.availability) &&
        (!state.zero || (facets.zero !== "" && Number(facets.zero) >= Number(state.zero))))
      .filter(({ one: [, , facets] }) => {  // rows come in order of rank
        const first = !seen.has(facets.organisation);
        seen.add(facets.organisation);
        return first || !state.best;
      })
      .sort((a, b) => {  // what is unknown comes last in both directions
        if (a.key === null || b.key === null) {
          return Number(a.key === null) - Number(b.key === null) || a.index - b.index;
        }
        return a.key === b.key ? a.index - b.index : a.key < b.key ? -sign : sign;
      })
      .map(({ one }) => one);
  }

  function draw() {
    withRows(() => {
      const kept = chosen();
      at("rows").replaceChildren(...kept.slice(0, shown).map(row));
      const all = kept.length === data.length;
      at("count").textContent = all ? count(data.length) : `${kept.length.toLocaleString("en")} of ${count(data.length)}`;
      at("caption").textContent = kept.length <= shown ?
        `All ${count(kept.length)}${all ? "." : " that were asked for."}` :
        `The first ${shown} of ${count(kept.length)} in this order.`;
      at("more").hidden = kept.length <= shown;
      at("more-rows").textContent = `Show all ${count(kept.length)}`;
      document.getElementById("pages")?.toggleAttribute("hidden", true);
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      heads[place(state.sort || "rank")]?.setAttribute("aria-sort", direction());
    });
  }

  function dress() {
    field("f-q").value = state.q;
    field("f-availability").value = state.availability;
    field("f-zero").value = state.zero;
    field("f-best").checked = Boolean(state.best);
    field("f-more").checked = Boolean(state.more);
    table.classList.toggle("few", !state.more);
  }

  function write() {
    const parts = Object.entries(state).filter(([, value]) => value);
    own = parts.length ? `#${parts.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&")}` : "#all";
    if (location.hash !== own && (parts.length || location.hash)) {
      location.replace(own);
    }
  }

  function read() {
    const hash = location.hash;
    if (hash === own) {
      return;
    }
    own = hash;
    if (/^#e-[0-9a-f]{12}$/.test(hash)) {
      find(hash.slice(1));
      return;
    }
    const given = { ...before };
    for (const part of hash.slice(1).split("&")) {
      const [key, value] = [part.split("=", 1)[0], part.slice(part.indexOf("=") + 1)];
      if (part.includes("=") && Object.hasOwn(given, key)) {
        try {
          given[key] = decodeURIComponent(value);
        } catch {
          given[key] = "";
        }
      }
    }
    given.sort = place(given.sort) < 0 ? "" : given.sort;
    given.dir = ["ascending", "descending"].includes(given.dir) ? given.dir : "";
    const same = JSON.stringify(given) === JSON.stringify(state);
    state = given;
    shown = STEP;
    dress();
    if (!same) {
      draw();
    }
  }

  /** @type {(id: string) => void} */
  function find(id) {
    if (mark(id)) {
      return;
    }
    state = { ...before };
    dress();
    shown = Infinity;
    draw();
    withRows(() => mark(id));
  }

  /** @type {(id: string) => boolean} */
  function mark(id) {
    const one = document.getElementById(id);
    table.querySelectorAll("tr.target").forEach((old) => old.classList.remove("target"));
    one?.classList.add("target");
    one?.scrollIntoView({ block: "center" });
    return one !== null;
  }

  /** @type {(key: string, value: string) => void} */
  function change(key, value) {
    state[key] = value;
    shown = STEP;
    write();
    dress();
    draw();
  }

  /** A head's label becomes a button that sorts. @type {(head: HTMLTableCellElement) => void} */
  function sorter(head) {
    const label = head.querySelector(".label");
    const button = element("button", label?.textContent ?? "");
    button.type = "button";
    label?.replaceWith(button);
    button.addEventListener("click", () => {
      const again = head.getAttribute("aria-sort");
      const key = head.dataset.k ?? "";
      state.sort = key === "rank" && again !== "ascending" ? "" : key;
      change("dir", again === "ascending" ? "descending" : again === "descending" ? "ascending" : "");
    });
  }

  if (!document.getElementById("filter")) {
    return;
  }
  heads.forEach(sorter);
  let timer = 0;
  field("f-q").addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => change("q", field("f-q").value.trim()), 120);
  });
  for (const key of ["availability", "zero"]) {
    field(`f-${key}`).addEventListener("change", () => change(key, field(`f-${key}`).value));
  }
  for (const key of ["best", "more"]) {
    field(`f-${key}`).addEventListener("change", () => change(key, field(`f-${key}`).checked ? "1" : ""));
  }
  at("f-clear").addEventListener("click", () => {
    state = { ...before };
    change("sort", "");
  });
  at("filter").addEventListener("submit", (event) => event.preventDefault());
  at("more-rows").addEventListener("click", () => {
    shown = Infinity;
    draw();
  });
  at("filter").hidden = false;
  at("count").textContent = count(Number(table.dataset.total));
  dress();
  window.addEventListener("hashchange", read);
  read();
})();
