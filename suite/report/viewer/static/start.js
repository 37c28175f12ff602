/* Every viewer of the page, from what its element says. */
"use strict";

/** Sources by name, for several viewers may show one. @type {Map<string, Promise<Source>>} */
const sourcesByName = new Map();

/**
 * @param {string} name
 * @param {string} base
 * @returns {Promise<Source>}
 */
function sourceNamed(name, base) {
  const found = sourcesByName.get(name) ?? new Source(name, base).open();
  sourcesByName.set(name, found);
  return found;
}

/**
 * @param {HTMLElement} root
 * @param {number} number of the viewer in the page
 */
async function startViewer(root, number) {
  const { sources = "", base = "", pairs = "", level = "3" } = root.dataset;
  const note = make("p", { class: "sv-note", role: "status" }, "Reading samples …");
  refill(root, note);
  if (typeof DecompressionStream === "undefined") {
    note.textContent = "Samples are packed; this browser is too old to open them. One from 2023 or later can.";
    return;
  }
  try {
    const found = await Promise.all(sources.trim().split(/\s+/).slice(0, 2).map((name) => sourceNamed(name, base)));
    const model = found.length > 1 ? new Pairs(found[0], found[1], pairs) : new Browse(found[0]);
    if (model.length) {
      new Viewer(root, model, Number(level), number).start();
    } else {
      note.textContent = found.length > 1 ? "No sample of one is a sample of the other." : "There are no samples to show.";
    }
  } catch (error) {
    refill(root, make("p", { class: "sv-failed", role: "alert" }, `The samples cannot be shown: ${error instanceof Error ? error.message : error}`));
  }
}

/** Room beside the column of text: the viewer is as wide as the screen allows. */
function measure() {
  document.documentElement.style.setProperty("--sv-room", `${document.documentElement.clientWidth}px`);
}

measure();
window.addEventListener("resize", measure);
document.querySelectorAll(".suite-viewer").forEach((root, number) => { startViewer(/** @type {HTMLElement} */ (root), number); });
