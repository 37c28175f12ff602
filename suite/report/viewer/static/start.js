/* Every viewer of the page, from what its element says. */
"use strict";

/**
 * @param {HTMLElement} root
 */
async function startViewer(root) {
  const { sources = "", base = "", pairs = "", level = "3" } = root.dataset;
  const note = make("p", { class: "sv-note", role: "status" }, "Reading samples …");
  refill(root, note);
  if (typeof DecompressionStream === "undefined") {
    note.textContent = "Samples are packed; this browser is too old to open them. One from 2023 or later can.";
    return;
  }
  try {
    const found = await Promise.all(sources.trim().split(/\s+/).slice(0, 2).map((name) => new Source(name, base).open()));
    const model = found.length > 1 ? new Pairs(found[0], found[1], pairs) : new Browse(found[0]);
    if (model.length) {
      new Viewer(root, model, Number(level)).start();
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
// of several viewers one is started, since they would share the address and the keys: `?pair=2` names the second
const viewers = [...document.querySelectorAll(".suite-viewer")];
const wanted = Math.min(Math.max(Number(new URLSearchParams(window.location.search).get("pair")) || 1, 1), viewers.length);
viewers.forEach((root, place) => {
  if (place + 1 === wanted) {
    startViewer(/** @type {HTMLElement} */ (root));
  } else {
    refill(root, make("a", { href: `?pair=${place + 1}#${root.parentElement?.id ?? ""}` }, "Show these samples"));
  }
});
