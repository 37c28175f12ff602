(function () {
  "use strict";
  var box = document.querySelector(".filter");
  if (!box) { return; }
  box.hidden = false;
  var text = document.getElementById("filter-text");
  var outcome = document.getElementById("filter-outcome");
  var cell = document.getElementById("filter-cell");
  var count = document.getElementById("filter-count");
  var samples = Array.prototype.slice.call(document.querySelectorAll("details.sample"));
  var waiting = 0;
  function matches(sample, words) {
    if (outcome.value && sample.dataset.outcome !== outcome.value && sample.dataset.finish !== outcome.value) {
      return false;
    }
    if (cell && cell.value && sample.dataset.cell !== cell.value) { return false; }
    if (!words) { return true; }
    return sample.dataset.id.toLowerCase().indexOf(words) >= 0 ||
      sample.textContent.toLowerCase().indexOf(words) >= 0;
  }
  function apply() {
    var words = text.value.trim().toLowerCase();
    var shown = 0;
    samples.forEach(function (sample) {
      var keep = matches(sample, words);
      sample.hidden = !keep;
      if (keep) { shown += 1; }
    });
    count.textContent = shown + " of " + samples.length + " shown";
  }
  text.addEventListener("input", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(apply, 120);
  });
  outcome.addEventListener("change", apply);
  if (cell) { cell.addEventListener("change", apply); }
  document.addEventListener("keydown", function (event) {
    var at = document.activeElement;
    var typing = at && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      text.focus();
    } else if (event.key === "Escape" && at === text) {
      text.value = "";
      apply();
    }
  });
  apply();
}());
