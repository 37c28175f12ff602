/* Two rows side by side: what is equal is shown once, what differs stands in two columns and is marked. */
"use strict";

/**
 * @param {[Opened, Opened]} both
 * @param {[string, string]} names
 * @param {number} level of headings
 * @returns {Child[]}
 */
function drawSides(both, names, level) {
  const [left, right] = both;
  /** @type {(title: string, children: (one: Opened, i: number) => Child[]) => HTMLElement | null} */
  const columns = (title, children) => {
    const drawn = both.map((one, i) => children(one, i).filter(Boolean));
    return drawn.some((one) => one.length) ? section(title, level, [make("div", { class: "sv-sides" },
      ...drawn.map((inside, i) => make("div", { class: "sv-side" }, words(names[i], "sv-side-name"),
        ...(inside.length ? inside : [make("p", { class: "sv-note" }, "None."),]))))]) : null;
  };
  const texts = both.map((one) => textAt(one.texts, one.body.text));
  const marks = difference(texts[0][0], texts[1][0]);
  return [
    columns("Verdict", (one) => [make("p", { class: "sv-chips" }, verdictChip(one.entry), finishChip(one.entry)),
      one.body.note && make("p", { class: "sv-note", dir: "auto" }, one.body.note)]),
    ...sharedConversation(both, columns, level),
    texts[0][0] && texts[0][0] === texts[1][0] ? section("Answer (the same on both sides)", level, drawAnswer(left)) :
      columns("Answer", (one, i) => (texts[i][0] ? [make("div", { class: "sv-turn sv-assistant" },
        passage(marks[i], texts[i][0], "", texts[i][2]), ...texts[i][1].map((note) => make("p", { class: "sv-note" }, note)))] : drawAnswer(one))),
    valuesTable(both, names, level),
    ...sharedBlocks(left, right, columns, level),
    columns("Verdicts", (one) => drawVerdicts(one.body, one.texts)),
    columns("Calls", (one) => one.body.calls.map((call) => drawCall(call, one.texts))),
  ];
}

/** @typedef {(title: string, children: (one: Opened, i: number) => Child[]) => HTMLElement | null} DrawColumns */

/**
 * The messages both have in common once, then those of each.
 * @param {[Opened, Opened]} both
 * @param {DrawColumns} columns
 * @param {number} level
 * @returns {Child[]}
 */
function sharedConversation(both, columns, level) {
  const said = both.map((one) => conversationOf(one.body));
  /** @type {(i: number, at: number) => string} */
  const key = (i, at) => {
    const one = said[i][at];
    return JSON.stringify(typeof one === "number" ? one : [one[0], both[i].texts[one[1]] ?? "", one[2] ?? []]);
  };
  const least = Math.min(said[0].length, said[1].length);
  let shared = 0;
  while (shared < least && key(0, shared) === key(1, shared)) { shared += 1; }
  let end = 0;
  while (end < least - shared && key(0, said[0].length - 1 - end) === key(1, said[1].length - 1 - end)) { end += 1; }
  const same = said[0].length === said[1].length && shared === said[0].length;
  const own = said.map((one) => one.slice(shared, one.length - end));
  const marks = markedMessages(own, both);
  const [before, after] = [said[0].slice(0, shared), end ? said[0].slice(-end) : []];
  return [
    before.length > 0 && section(same ? "Conversation (the same on both sides)" : "The same on both sides", level, lastOpen(before, both[0].texts)),
    !same && columns(before.length ? "Then" : "Conversation", (one, i) => drawMessages(own[i], one.texts, marks?.[i])),
    after.length > 0 && section("Then the same on both sides", level, drawMessages(after, both[0].texts)),
  ];
}

/**
 * The texts of messages with what differs marked, side by side; null where they do not belong together.
 * @param {Said[][]} said of each side
 * @param {[Opened, Opened]} both
 * @returns {[Child[][], Child[][]] | null}
 */
function markedMessages([left, right], both) {
  const fits = left.length === right.length && left.every((one, i) => {
    const other = right[i];
    return typeof one !== "number" && typeof other !== "number" && one[0] === other[0];
  });
  if (!fits) { return null; }
  /** @type {(side: number, one: Said) => string} */
  const text = (side, one) => textAt(both[side].texts, /** @type {Message} */ (one)[1])[0];
  const pairs = left.map((one, i) => difference(text(0, one), text(1, right[i])));
  return [pairs.map((one) => one[0]), pairs.map((one) => one[1])];
}

/**
 * The task's own blocks: equal ones once, others in two columns.
 * @param {Opened} left
 * @param {Opened} right
 * @param {DrawColumns} columns
 * @param {number} level
 * @returns {Child[]}
 */
function sharedBlocks(left, right, columns, level) {
  const [a, b] = [left.body.blocks, right.body.blocks];
  const equal = new Set(a.map((one) => JSON.stringify(one)).filter((one) => b.some((other) => JSON.stringify(other) === one)));
  const shared = a.filter((one) => equal.has(JSON.stringify(one)));
  return [
    shared.length > 0 && section("As the task shows it, the same on both sides", level, shared.map((one) => drawBlock(one, level + 1))),
    columns("As the task shows it", (one) => one.body.blocks.filter((block) => !equal.has(JSON.stringify(block)))
      .map((block) => drawBlock(block, level + 1))),
  ];
}

/**
 * The values of both, those that differ marked.
 * @param {[Opened, Opened]} both
 * @param {[string, string]} names
 * @param {number} level
 * @returns {HTMLElement | null}
 */
function valuesTable(both, names, level) {
  const values = both.map((one) => one.body.values);
  const all = [...new Set(values.flatMap((one) => Object.keys(one)))];
  const rows = all.map((name) => {
    const [a, b] = values.map((one) => (Object.hasOwn(one, name) ? one[name] : null));
    const texts = both.map(({ entry }, i) => valueBeside(entry.source, name, [a, b][i]));
    const differs = texts[0] !== texts[1];
    const by = typeof a === "number" && typeof b === "number" && differs ? ` by ${numberText(Math.abs(b - a))}` : "";
    return make("tr", { class: differs ? "sv-differs" : null }, make("th", { scope: "row", dir: "auto" }, name),
      ...texts.map((text) => make("td", { dir: "auto" }, text.slice(0, 300))), make("td", {}, differs ? `differs${by}` : "same"));
  });
  return rows.length ? section("Scores", level, [wide("Scores", make("table", { class: "sv-table" },
    make("thead", {}, make("tr", {}, ...["value", ...names, "comparison"].map((name) => make("th", { scope: "col", dir: "auto" }, name)))),
    make("tbody", {}, ...rows)))]) : null;
}
