/* Typed blocks: what a task shows of a sample. */
"use strict";

const MOST_TABLE_ROWS = 500;
const SHORT_CELL = 24;  // characters that stay on one line
/** The colour of who speaks. */
const SPEAKERS = new Map([["system", "system"], ["user", "user"], ["assistant", "assistant"], ["agent", "assistant"],
  ["candidate", "assistant"], ["tool", "tool"], ["database", "tool"], ["environment", "tool"], ["reasoning", "reasoning"]]);
const SVG = "http://www.w3.org/2000/svg";

/**
 * One block with its title.
 * @param {Block} block
 * @param {number} level of its heading
 * @returns {HTMLElement}
 */
function drawBlock(block, level) {
  const title = block.title ? heading(level, { class: "sv-title", dir: "auto" }, block.title) : null;
  return make("div", { class: "sv-block" }, title, blockContent(block));
}

/**
 * @param {Block} block
 * @returns {Child}
 */
function blockContent(block) {
  switch (block.kind) {
    case "Text": return passage([block.text], block.text);
    case "Facts": {
      const pairs = Array.isArray(block.facts) ? block.facts : Object.entries(block.facts);
      return facts(pairs.map(([name, value]) => [name, valueText(value)]));
    }
    case "Table": return table(block.columns, block.rows);
    case "Plot": return plot(block);
    case "Code": return code(block.code, block.findings ?? []);
    case "Dialogue": return make("div", { class: "sv-dialogue" },
      ...block.turns.map((turn) => message(turn.speaker, turn.text, turn.notes ?? [])));
    default: return make("p", { class: "sv-note" }, "This page cannot show a block of this kind.");
  }
}

/**
 * @param {string[]} columns
 * @param {Shown[][]} rows
 * @returns {HTMLElement}
 */
function table(columns, rows) {
  const numeric = columns.map((_, i) => rows.some((row) => typeof row[i] === "number") &&
    rows.every((row) => typeof row[i] === "number" || row[i] === null));
  const style = (/** @type {number} */ i) => (numeric[i] ? "sv-n" : null);
  const head = make("tr", {}, ...columns.map((name, i) => make("th", { scope: "col", class: style(i), dir: "auto" }, name)));
  const body = rows.slice(0, MOST_TABLE_ROWS).map((row) => make("tr", {}, ...row.map((value, i) => {
    const text = valueText(value);
    return make("td", { class: style(i) ?? (text.length <= SHORT_CELL ? "sv-short" : "sv-long"), dir: "auto" }, text);
  })));
  const left = rows.length - body.length;
  return make("div", {},
    wide("Table", make("table", { class: "sv-table" }, make("thead", {}, head), make("tbody", {}, ...body))),
    left > 0 && make("p", { class: "sv-note" }, `${counted(left, "more row")} not shown here.`));
}

/**
 * One message or turn.
 * @param {string} speaker
 * @param {string} text
 * @param {string[]} [notes]
 * @param {ToolCall[]} [calls]
 * @param {Child[]} [marked] the text with marks
 * @param {number} [left] characters that are left out of it
 * @returns {HTMLElement}
 */
function message(speaker, text, notes = [], calls = [], marked = [text], left = leftOut(text)) {
  const word = speaker.split(/[:/ ]/, 1)[0].toLowerCase();
  const known = SPEAKERS.get(word) ?? "other";
  return make("div", { class: `sv-turn sv-${known}` },
    make("div", { class: "sv-who" }, words(speaker), ...notes.map((note) => words(note, "sv-aside"))),
    text ? passage(marked, text, "", left) : !calls.length && make("p", { class: "sv-note" }, "(empty)"),
    ...calls.map(toolCall));
}

/**
 * @param {ToolCall} call
 * @returns {HTMLElement}
 */
function toolCall([name, given]) {
  return make("div", { class: "sv-tool" }, make("span", { class: "sv-aside" }, "calls "), words(name, "sv-code"),
    passage([prettyJson(given)], given, "sv-code"));
}

/**
 * JSON on several lines; any other text as it is.
 * @param {string} text
 * @returns {string}
 */
function prettyJson(text) {
  try { return JSON.stringify(JSON.parse(text), null, 1); } catch { return text; }
}

/**
 * Source code with numbered lines, findings below theirs.
 * @param {string} text
 * @param {{line: number, text: string}[]} findings
 * @returns {HTMLElement}
 */
function code(text, findings) {
  const lines = text.split("\n");
  const list = make("ol", { class: "sv-lines" });
  lines.forEach((line, i) => {
    const own = findings.filter((one) => Math.min(Math.max(one.line, 1), lines.length) === i + 1);
    list.append(make("li", {}, make("code", {}, line || " "),
      ...own.map((one) => make("p", { class: "sv-finding", dir: "auto" }, one.text))));
  });
  return wide("Code", list);
}

/**
 * A small drawing of lines, with its numbers as a table.
 * @param {Extract<Block, {kind: "Plot"}>} block
 * @returns {HTMLElement}
 */
function plot(block) {
  const points = block.lines.flatMap((line) => line.points);
  const rows = block.lines.flatMap((line) => line.points.map(([x, y], i) => /** @type {Shown[]} */ (
    [line.name, block.x_labels?.[x] ?? x, y, line.intervals?.[i]?.[0] ?? null, line.intervals?.[i]?.[1] ?? null])));
  const numbers = table(["line", block.x || "x", block.y || "y", "low", "high"], rows);
  if (!points.length) { return numbers; }
  const [x, y] = [0, 1].map((axis) => scale(points.map((point) => point[axis])));
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 320 120");
  svg.setAttribute("class", "sv-plot");
  svg.setAttribute("aria-hidden", "true");
  block.lines.slice(0, 8).forEach((line, i) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", `sv-line-${i}`);
    path.setAttribute("d", "M" + line.points.map((point) => `${4 + 312 * x(point[0])} ${116 - 112 * y(point[1])}`).join("L"));
    svg.append(path);
  });
  return make("figure", { class: "sv-figure" }, svg, fold(["Numbers"], () => [numbers]));
}

/**
 * Where a number lies between the least and the greatest, in [0, 1].
 * @param {number[]} values
 * @returns {(value: number) => number}
 */
function scale(values) {
  const low = values.reduce((a, b) => Math.min(a, b));
  const range = values.reduce((a, b) => Math.max(a, b)) - low;
  return (value) => (range ? (value - low) / range : 0.5);
}
