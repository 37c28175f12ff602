/* The samples of an entry, or of two: nothing is loaded before a task is asked for by the page's address
   (?samples=TASK), so that a page weighs what it shows. The viewer's own script then draws them. */
(() => {
  "use strict";

  const section = document.getElementById("samples");
  const asked = new URLSearchParams(location.search).get("samples");
  const chosen = [...(section?.querySelectorAll("a") ?? [])].find((link) => link.dataset.samples === asked);
  const place = document.getElementById("viewer");
  if (!section || !chosen || !place) {
    return;
  }
  chosen.setAttribute("aria-current", "true");
  place.className = "suite-viewer";
  Object.assign(place.dataset, { sources: chosen.dataset.sources, base: section.dataset.base });
  if (chosen.dataset.pairs) {
    place.dataset.pairs = chosen.dataset.pairs;
  }
  const script = document.createElement("script");
  script.src = section.dataset.script ?? "";
  document.head.append(script);
  section.scrollIntoView();
})();
