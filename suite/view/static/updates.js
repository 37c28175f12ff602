const EVERY_MS = 3000;
let last = "", silent = false;

/** @param {string} text @returns {void} */
const say = (text) => {
  if (byId("said").textContent !== text) byId("said").textContent = text;
};

/** Put cells in the place of those that say something else; the box and a link that has the focus stay.
 * @param {HTMLTableRowElement} row @param {HTMLTableRowElement} fresh @returns {void} */
const renew = (row, fresh) => {
  Object.assign(row.dataset, {...fresh.dataset});
  [...row.cells].forEach((cell, column) => {
    const other = fresh.cells[column];
    if (column === 0 || cell.isEqualNode(other)) return;
    const focused = cell.contains(document.activeElement);
    cell.dataset.sort = other.dataset.sort ?? "";
    cell.replaceChildren(...other.childNodes);
    if (focused) cell.querySelector("a")?.focus({preventScroll: true});
  });
  boxOf(row).disabled = boxOf(fresh).disabled;
};

/** @param {Document} fresh the page as it is now @returns {string[]} names of runs that are gone */
const merge = (fresh) => {
  const body = table.tBodies[0], gone = [];
  const now = /** @type {HTMLTableElement} */ (fresh.getElementById("runs")).tBodies[0];
  for (const row of rows()) {
    if (fresh.getElementById(row.id)) continue;
    gone.push(row.querySelector("a")?.textContent ?? "");
    row.remove();
  }
  [...now.rows].forEach((one, place) => {
    const row = rowOf(one.dataset.key ?? "");
    if (row) {
      renew(row, one);
      return;
    }
    one.querySelector(".pick")?.removeAttribute("hidden");
    body.insertBefore(document.adoptNode(one), body.rows[place] ?? null);
  });
  byId("none").hidden = now.rows.length > 0;
  return gone;
};

/** Ask for the page as it is now, and change what is another. @returns {Promise<void>} */
const update = async () => {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch("index.html", {cache: "no-store"});
  } catch {
    silent = true;
    say("suite view does not answer any more: what is shown is as it was.");
    return;
  }
  if (silent) say("");
  silent = !answer.ok;
  const text = await answer.text();
  if (silent) say(text);
  if (silent || text === last) return;
  last = text;
  const gone = merge(new DOMParser().parseFromString(text, "text/html"));
  offer();
  order();
  filter();
  showPicks();
  if (gone.length) say(`No longer there: ${gone.join(", ")}.`);
};

/** Follow the runs while somebody looks. @returns {void} */
const follow = () => {
  let running = false;
  const step = async () => {
    if (running || document.hidden) return;
    running = true;
    try {
      await update();
    } finally {
      running = false;
    }
  };
  window.setInterval(step, EVERY_MS);
  document.addEventListener("visibilitychange", step);
};
