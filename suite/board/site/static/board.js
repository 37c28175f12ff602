/* Sorting, filtering and deep links for the tables of a board. Everything is readable without it.
   Rows beyond the page's own come from a script of data; text only ever becomes text nodes. */
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg";
  var STEP = 200;
  var table = document.getElementById("board");
  var data = null, waiting = [], shown = STEP, searched = null;
  var state = { sort: "", dir: "", q: "", availability: "", zero: "", best: "", more: "" };
  var before = Object.assign({}, state);
  var own = "";

  window.suiteBoard = {
    rows: function (given) {
      data = given;
      waiting.splice(0).forEach(function (then) { then(); });
    }
  };

  function withRows(then) {
    if (data) { then(); return; }
    waiting.push(then);
    if (waiting.length > 1) { return; }
    var script = document.createElement("script");
    script.src = table.dataset.rows;
    document.head.appendChild(script);
  }

  function compare(a, b, sign) {
    var x = a.key, y = b.key;
    if (x === null || y === null) { return (x === null) - (y === null) || a.index - b.index; }
    if (x < y) { return -sign; }
    if (x > y) { return sign; }
    return a.index - b.index;
  }

  function element(tag, text, style) {
    var made = document.createElement(tag);
    if (text) { made.textContent = text; }
    if (style) { made.className = style; }
    return made;
  }

  function bar(ends) {
    var svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "-4 0 128 12");
    svg.setAttribute("aria-hidden", "true");
    var known = ends[0] !== null && ends[2] !== null;
    var line = known ? [["path", { "class": "i", d: "M" + ends[0] * 120 + " 6H" + ends[2] * 120 }]] : [];
    [["path", { d: "M0 6H120" }]].concat(line, [
      ["circle", { cx: ends[1] * 120, cy: 6, r: 3, "class": known ? "" : "u" }]]).forEach(function (one) {
      var part = document.createElementNS(SVG, one[0]);
      Object.keys(one[1]).forEach(function (name) { part.setAttribute(name, one[1][name]); });
      svg.appendChild(part);
    });
    return svg;
  }

  function row(one) {
    var made = document.createElement("tr");
    made.id = "e-" + one[0];
    one[3].forEach(function (cell, index) {
      var head = heads[index], kind = head.dataset.kind, into;
      if (kind === "model") {
        into = document.createElement("th");
        into.scope = "row";
        var link = element("a", cell[0]);
        link.href = table.dataset.root + one[1];
        into.appendChild(link);
      } else if (kind === "bar") {
        into = element("td", "", "bar");
        if (cell[4]) { into.appendChild(bar(cell[4])); }
      } else {
        into = element("td", cell[0], (kind === "text" ? "t" : "n") + (head.dataset.g ? " m" : ""));
      }
      if (cell[2]) { into.appendChild(element("small", cell[2])); }
      cell[3].forEach(function (mark) { into.appendChild(element("span", mark, "mark")); });
      made.appendChild(into);
    });
    return made;
  }

  function place(key) {
    return heads.findIndex(function (head) { return head.dataset.k === key; });
  }

  function count(number) {
    return number.toLocaleString("en") + (number === 1 ? " entry" : " entries");
  }

  function text(index) {
    searched = searched || data.map(function (one) {
      var where = [place("model"), place("submitter")].filter(function (i) { return i >= 0; });
      return where.map(function (i) { return one[3][i][0] + " " + one[3][i][2]; }).join(" ").toLowerCase();
    });
    return searched[index];
  }

  function chosen() {
    var words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    var column = Math.max(0, place(state.sort || "rank"));
    var sign = direction() === "descending" ? -1 : 1;
    var kept = data.map(function (one, index) { return { row: one, index: index, key: one[3][column][1] }; });
    kept = kept.filter(function (one) {
      var facets = one.row[2];
      return words.every(function (word) { return text(one.index).indexOf(word) >= 0; }) &&
        (!state.availability || facets.availability === state.availability) &&
        (!state.zero || (facets.zero !== "" && Number(facets.zero) >= Number(state.zero)));
    });
    if (state.best) {
      var seen = {};
      kept = kept.filter(function (one) {  // rows come in order of rank
        var mine = "o:" + one.row[2].organisation;
        if (seen[mine]) { return false; }
        seen[mine] = true;
        return true;
      });
    }
    return kept.sort(function (a, b) { return compare(a, b, sign); });
  }

  function direction() {
    var head = heads[place(state.sort || "rank")];
    return state.dir || (head && head.dataset.d) || "ascending";
  }

  function draw() {
    withRows(function () {
      var kept = chosen(), body = document.createDocumentFragment();
      kept.slice(0, shown).forEach(function (one) { body.appendChild(row(one.row)); });
      var rows = document.getElementById("rows");
      rows.textContent = "";
      rows.appendChild(body);
      document.getElementById("count").textContent = kept.length === data.length ?
        count(data.length) : kept.length.toLocaleString("en") + " of " + count(data.length);
      document.getElementById("caption").textContent = kept.length <= shown ?
        "All " + count(kept.length) + (kept.length < data.length ? " that were asked for." : ".") :
        "The first " + shown + " of " + count(kept.length) + " in this order.";
      document.getElementById("more").hidden = kept.length <= shown;
      document.getElementById("more-rows").textContent = "Show all " + count(kept.length);
      var pages = document.getElementById("pages");
      if (pages) { pages.hidden = true; }
      heads.forEach(function (head) { head.removeAttribute("aria-sort"); });
      var sorted = heads[place(state.sort || "rank")];
      if (sorted) { sorted.setAttribute("aria-sort", direction()); }
    });
  }

  function dress() {
    document.getElementById("f-q").value = state.q;
    document.getElementById("f-availability").value = state.availability;
    document.getElementById("f-zero").value = state.zero;
    document.getElementById("f-best").checked = Boolean(state.best);
    document.getElementById("f-more").checked = Boolean(state.more);
    table.classList.toggle("few", !state.more);
  }

  function write() {
    var parts = [];
    Object.keys(state).forEach(function (key) {
      if (state[key]) { parts.push(key + "=" + encodeURIComponent(state[key])); }
    });
    own = parts.length ? "#" + parts.join("&") : "#all";
    if (location.hash !== own && (parts.length || location.hash)) { location.replace(own); }
  }

  function read() {
    var hash = location.hash;
    if (hash === own) { return; }
    own = hash;
    if (/^#e-[0-9a-f]{12}$/.test(hash)) { find(hash.slice(1)); return; }
    var given = Object.assign({}, before);
    if (hash.indexOf("=") > 0) {
      hash.slice(1).split("&").forEach(function (part) {
        var at = part.indexOf("="), key = part.slice(0, at);
        if (Object.prototype.hasOwnProperty.call(given, key)) {
          try { given[key] = decodeURIComponent(part.slice(at + 1)); } catch (error) { given[key] = ""; }
        }
      });
    }
    if (place(given.sort) < 0) { given.sort = ""; }
    if (["ascending", "descending"].indexOf(given.dir) < 0) { given.dir = ""; }
    var same = JSON.stringify(given) === JSON.stringify(state);
    state = given;
    shown = STEP;
    dress();
    if (!same) { draw(); }
  }

  function find(id) {
    var there = document.getElementById(id);
    if (there) { mark(there); return; }
    state = Object.assign({}, before);
    dress();
    shown = Infinity;
    draw();
    withRows(function () { var late = document.getElementById(id); if (late) { mark(late); } });
  }

  function mark(one) {
    Array.prototype.forEach.call(table.querySelectorAll("tr.target"), function (old) { old.classList.remove("target"); });
    one.classList.add("target");
    one.scrollIntoView({ block: "center" });
  }

  function change(key, value) {
    state[key] = value;
    shown = STEP;
    write();
    dress();
    draw();
  }

  function start() {
    heads.forEach(function (head) {
      if (head.dataset.kind === "bar") { return; }
      var label = head.querySelector(".label"), button = document.createElement("button");
      button.type = "button";
      button.textContent = label.textContent;
      label.replaceWith(button);
      button.addEventListener("click", function () {
        var again = head.getAttribute("aria-sort"), key = head.dataset.k;
        state.sort = key === "rank" && again !== "ascending" ? "" : key;
        change("dir", again === "ascending" ? "descending" : again === "descending" ? "ascending" : "");
      });
    });
    var timer = 0;
    document.getElementById("f-q").addEventListener("input", function (event) {
      window.clearTimeout(timer);
      timer = window.setTimeout(function () { change("q", event.target.value.trim()); }, 120);
    });
    ["availability", "zero"].forEach(function (key) {
      document.getElementById("f-" + key).addEventListener("change", function (event) { change(key, event.target.value); });
    });
    ["best", "more"].forEach(function (key) {
      document.getElementById("f-" + key).addEventListener("change", function (event) { change(key, event.target.checked ? "1" : ""); });
    });
    document.getElementById("f-clear").addEventListener("click", function () {
      state = Object.assign({}, before);
      change("sort", "");
    });
    document.getElementById("filter").addEventListener("submit", function (event) { event.preventDefault(); });
    document.getElementById("more-rows").addEventListener("click", function () { shown = Infinity; draw(); });
    document.getElementById("filter").hidden = false;
    document.getElementById("count").textContent = count(Number(table.dataset.total));
    dress();
    window.addEventListener("hashchange", read);
    read();
  }

  /* Small tables, whole on their page: sorted by what their cells show or by data-v. */
  function simple(one) {
    var all = Array.prototype.slice.call(one.tHead.rows[0].cells);
    all.forEach(function (head, index) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        var rows = Array.prototype.slice.call(one.tBodies[0].rows).map(function (line, at) {
          var cell = line.cells[index], value = cell.dataset.v;
          var keys = value === undefined ? [cell.textContent.toLowerCase()] :
            value === "" ? [null] : value.split(" ").map(Number);
          return { line: line, key: keys[0], then: keys.length > 1 ? keys[1] : null, index: at };
        });
        rows.sort(function (a, b) {
          var sign = up ? 1 : -1;
          return a.key === b.key && a.then !== b.then ? sign * (a.then - b.then) : compare(a, b, sign);
        });
        rows.forEach(function (each) { one.tBodies[0].appendChild(each.line); });
        all.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
      });
    });
  }

  var heads = table ? Array.prototype.slice.call(table.tHead.rows[0].cells) : [];
  if (table) { start(); }
  Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), simple);
})();
