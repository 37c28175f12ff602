"use strict";

/** @param {string} id @returns {HTMLElement} the element, which the page always has */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const table = /** @type {HTMLTableElement} */ (byId("runs"));
const search = /** @type {HTMLInputElement} */ (byId("text"));
const FACETS = ["state", "task", "model"];

/** @returns {HTMLTableRowElement[]} the rows as they stand */
const rows = () => [...table.tBodies[0].rows];

/** @param {HTMLTableRowElement} row @param {string} name @returns {string[]} its values of a facet */
const facets = (row, name) => (row.dataset[name] ?? "").split("\n").filter(Boolean);

/** @param {string} name @returns {HTMLSelectElement} the choice of a facet */
const choice = (name) => /** @type {HTMLSelectElement} */ (byId(`by-${name}`));

/** Offer every value that a row has; what is chosen stays chosen. @returns {void} */
const offer = () => {
  for (const name of FACETS) {
    const select = choice(name), chosen = select.value;
    const values = [...new Set(rows().flatMap((row) => facets(row, name)))].sort();
    if (chosen && !values.includes(chosen)) values.push(chosen);
    if (values.join("\n") === [...select.options].slice(1).map((one) => one.value).join("\n")) continue;
    select.replaceChildren(select.options[0], ...values.map((value) => new Option(value, value)));
    select.value = chosen;
  }
};

/** Show the rows that every condition keeps. @returns {void} */
const filter = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows()) {
    const text = (row.textContent ?? "").toLowerCase();
    const kept = words.every((word) => text.includes(word)) &&
      FACETS.every((name) => !choice(name).value || facets(row, name).includes(choice(name).value));
    row.hidden = !kept;
    shown += Number(kept);
  }
  byId("count").textContent = `${shown} of ${rows().length}`;
};

let sortedBy = -1, descending = false;

/** @param {HTMLTableRowElement} row @param {number} column @returns {string} what a row is sorted by */
const sortKey = (row, column) => row.cells[column].dataset.sort ?? "";

/** Put the rows in the order that was asked for; rows without a value come last. @returns {void} */
const order = () => {
  if (sortedBy < 0) return;
  const numbers = /** @type {HTMLElement} */ (table.tHead?.rows[0].cells[sortedBy]).dataset.kind === "number";
  /** @type {(a: HTMLTableRowElement, b: HTMLTableRowElement) => number} */
  const compare = (a, b) => {
    const [x, y] = [sortKey(a, sortedBy), sortKey(b, sortedBy)];
    if (!x || !y) return Number(!x) - Number(!y);
    const found = numbers ? Number(x) - Number(y) : x.localeCompare(y, "en", {numeric: true});
    return descending ? -found : found;
  };
  const wanted = rows().sort(compare);
  if (wanted.some((row, place) => row !== table.tBodies[0].rows[place])) table.tBodies[0].append(...wanted);
};

/** @param {number} column @param {HTMLElement} head @returns {void} */
const sortBy = (column, head) => {
  descending = sortedBy === column ? !descending : head.dataset.kind === "number" || head.textContent === "Date";
  sortedBy = column;
  for (const one of table.querySelectorAll("thead [aria-sort]")) one.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  order();
};

/** Make the heads of columns buttons that sort. @returns {void} */
const makeSortable = () => {
  [.../** @type {HTMLTableRowElement} */ (table.tHead?.rows[0]).cells].forEach((head, column) => {
    if (!head.dataset.kind) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sortBy(column, head));
  });
};
