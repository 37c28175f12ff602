/** Keys of the runs that are picked, in the order in which they were: the last is what others are compared with.
 * @type {string[]} */
let picked = [];

/** @param {string} key @returns {HTMLTableRowElement | null} the row of a run */
const rowOf = (key) => /** @type {HTMLTableRowElement | null} */ (document.getElementById(`run-${key}`));

/** @param {HTMLTableRowElement} row @returns {HTMLInputElement} its box */
const boxOf = (row) => /** @type {HTMLInputElement} */ (row.querySelector("input"));

/** @returns {string} the path of the comparison of what is picked; "" where there is none */
const comparison = () => {
  const made = table.dataset.compared?.split(" ");
  if (picked.length < 2) return "";
  const ways = picked.length === 2 ? [picked, [...picked].reverse()] : [picked];
  const found = ways.map((keys) => keys.join("--")).find((one) => !made || made.includes(one));
  return found ? `compare/${found}.html` : "";
};

/** Say what is picked and what can be done with it. @returns {void} */
const showPicks = () => {
  picked = picked.filter((key) => rowOf(key));
  for (const row of rows()) {
    const chosen = picked.includes(row.dataset.key ?? "");
    row.classList.toggle("chosen", chosen);
    boxOf(row).checked = chosen;
  }
  const names = picked.map((key) => rowOf(key)?.querySelector("a")?.textContent ?? key);
  const path = comparison(), link = byId("compare");
  byId("picked").hidden = picked.length === 0;
  byId("picks").textContent = picked.length < 2 ? `${names[0]} against …` : `${names.slice(0, -1).join(", ")} against ${names.at(-1)}`;
  byId("why").textContent = path ? "" : picked.length < 2
    ? "Pick another run to compare it with." : "These pages do not hold this comparison.";
  if (path) link.setAttribute("href", path);
  else link.removeAttribute("href");
};

/** Let rows be picked. @returns {void} */
const makePickable = () => {
  for (const cell of table.querySelectorAll(".pick")) cell.removeAttribute("hidden");
  table.addEventListener("change", (event) => {
    const key = /** @type {HTMLElement} */ (event.target).closest("tr")?.dataset.key;
    if (!key) return;
    picked = picked.includes(key) ? picked.filter((one) => one !== key) : [...picked, key];
    showPicks();
  });
  byId("clear").addEventListener("click", () => {
    picked = [];
    showPicks();
    search.focus();
  });
};
