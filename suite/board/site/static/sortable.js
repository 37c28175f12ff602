/* Small tables, whole on their page: sorted by what their cells show, or by the numbers of data-v. */
(() => {
  "use strict";

  /** @typedef {{line: HTMLTableRowElement, keys: (string | number)[], index: number}} Line */

  /** @type {(line: HTMLTableRowElement, column: number, index: number) => Line} */
  function lineOf(line, column, index) {
    const cell = line.cells[column];
    const value = cell.dataset.v;
    const keys = value === undefined ? [(cell.textContent ?? "").toLowerCase()] : value.split(" ").filter(Boolean).map(Number);
    return { line, keys, index };
  }

  /** By the first key, then the second; lines without one come last. @type {(a: Line, b: Line, sign: number) => number} */
  function compare(a, b, sign) {
    if (!a.keys.length || !b.keys.length) {
      return Number(!a.keys.length) - Number(!b.keys.length) || a.index - b.index;
    }
    const apart = a.keys.findIndex((key, place) => key !== b.keys[place]);
    return apart < 0 ? a.index - b.index : a.keys[apart] < b.keys[apart] ? -sign : sign;
  }

  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    if (!table.classList.contains("sortable") || !table.tHead || !body) {
      continue;
    }
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        const lines = [...body.rows].map((line, index) => lineOf(line, column, index));
        body.append(...lines.sort((a, b) => compare(a, b, sign)).map(({ line }) => line));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      });
    });
  }
})();
