/* What the index tells of one row, in words: its verdict, its cell, its tags. */
"use strict";

const MOST_PREVIEW = 140;

/** One row of one source. @typedef {{source: Source, row: number}} Entry */

/**
 * @param {Entry} entry
 * @returns {Identity}
 */
function identityOf({ source, row }) {
  const { id, cell, trial } = source.index.samples;
  return { sample: id[row], cell: source.index.cells[cell[row]].id, trial: String(trial[row]) };
}

/**
 * Whether a row is the one that an address names, which may leave out cell and trial.
 * @param {Identity} found
 * @param {Identity} wanted
 */
function fits(found, wanted) {
  return found.sample === wanted.sample && (!wanted.cell || found.cell === wanted.cell) && (!wanted.trial || found.trial === wanted.trial);
}

/**
 * @param {Entry} entry
 * @returns {Cell}
 */
function cellOf({ source, row }) {
  return source.index.cells[source.index.samples.cell[row]];
}

/**
 * The name of a cell beside others of its run: its task only where there are several.
 * @param {Index} index
 * @param {Cell} cell
 * @returns {string}
 */
function cellName(index, cell) {
  const several = index.cells.some((one) => one.task !== cell.task);
  const name = [several || !cell.label ? cell.task : "", cell.label].filter(Boolean).join(" · ");
  const twin = index.cells.find((one) => one !== cell && one.task === cell.task && one.label === cell.label);
  return twin ? `${name} (${cell.id.slice(0, 6)})` : name;
}

/**
 * The cell and trial of a row, as far as there are several.
 * @param {Entry} entry
 * @returns {string}
 */
function placeName(entry) {
  const { index } = entry.source;
  const trial = index.samples.trial[entry.row];
  return [index.cells.length > 1 && cellName(index, cellOf(entry)), entry.source.severalTrials && `trial ${trial}`].filter(Boolean).join(" · ");
}

/**
 * The name of a row beside another of the same run: without the task that they share.
 * @param {Entry} entry
 * @param {Entry} other
 * @returns {string}
 */
function nameBeside(entry, other) {
  const [cell, beside] = [cellOf(entry), cellOf(other)];
  const short = cell.task === beside.task && cell.label !== beside.label && cell.label;
  return short ? [cell.label, entry.source.severalTrials && `trial ${entry.source.index.samples.trial[entry.row]}`].filter(Boolean).join(" · ") :
    placeName(entry);
}

/**
 * A value of a row by its name; null where there is none.
 * @param {Entry} entry
 * @param {string} name
 * @returns {Value}
 */
function valueOf({ source, row }, name) {
  const place = source.index.values.findIndex((one) => one.name === name);
  return place < 0 ? null : source.index.samples.values[place][row] ?? null;
}

/**
 * A value in words, by the format of all values of its name.
 * @param {Source} source
 * @param {string} name
 * @param {unknown} value
 */
function valueBeside({ index }, name, value) {
  return valueText(value, index.values.find((one) => one.name === name)?.decimals);
}

/**
 * @param {Entry} entry
 * @returns {string} one of good, bad, between, scored, unscored, pending
 */
function outcomeOf({ source, row }) {
  return source.index.outcomes[source.index.samples.outcome[row]] ?? "scored";
}

/** @param {Entry} entry */
function finishOf({ source, row }) {
  return source.index.finishes[source.index.samples.finish[row]] ?? "";
}

/**
 * The verdict of a row in words: its headline value, or why there is none.
 * @param {Entry} entry
 * @returns {string}
 */
function verdictText(entry) {
  const outcome = outcomeOf(entry);
  if (outcome === "pending") { return "not scored yet"; }
  const { headline } = cellOf(entry);
  const value = valueOf(entry, headline);
  if (value !== null && typeof value === "object") { return `unscored: ${entry.source.index.reasons[value.u]}`; }
  return value === null ? outcome : `${headline}: ${valueBeside(entry.source, headline, value)}`;
}

/**
 * The verdict as a chip: the colour says what the words say.
 * @param {Entry} entry
 * @returns {HTMLElement}
 */
function verdictChip(entry) {
  return words(verdictText(entry), `sv-chip sv-${outcomeOf(entry)}`);
}

/**
 * A chip for how an answer ended, if not of itself.
 * @param {Entry} entry
 * @returns {HTMLElement | null}
 */
function finishChip(entry) {
  const finish = finishOf(entry);
  return finish && finish !== "stop" ? words(finish, "sv-chip sv-unscored") : null;
}

/**
 * Names and values of a row's tags.
 * @param {Entry} entry
 * @returns {[string, string][]}
 */
function tagsOf({ source, row }) {
  return source.index.tags.flatMap((tag, i) => {
    const place = source.index.samples.tags[i][row] ?? -1;
    return place < 0 ? [] : [/** @type {[string, string]} */ ([tag.name, tag.values[place]])];
  });
}

/**
 * The preview of a question, without what all of its cell begin with.
 * @param {Entry} entry
 */
function questionOf({ source, row }) {
  const { questions, samples } = source.index;
  const opening = source.openings[samples.cell[row]];
  const text = questions[samples.question[row]] ?? "";
  return `${opening ? "…" : ""}${text.slice(opening, opening + MOST_PREVIEW)}`;
}

/** @param {Entry} entry */
function answerOf({ source, row }) {
  return source.index.samples.answer[row] ?? "";
}
