makeSortable();
makePickable();
offer();
filter();
showPicks();
byId("filter").hidden = rows().length < 2 && table.dataset.live === undefined;
search.addEventListener("input", filter);
for (const name of FACETS) choice(name).addEventListener("change", filter);
document.addEventListener("keydown", (event) => {
  const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === "/" && !inField) {
    event.preventDefault();
    search.focus();
  }
});
if (table.dataset.live !== undefined) follow();
