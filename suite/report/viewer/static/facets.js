/* What rows can be filtered and sorted by, read from the index. */
"use strict";

const MOST_OPTIONS = 60;  // of a list to choose from; beyond it one types
const EMPTY = "(empty)";  // how a text of no characters is called

/**
 * Something to filter by. `test` makes a predicate of what was asked for.
 * @typedef {object} Facet
 * @property {string} name in the address
 * @property {string} label
 * @property {string} about
 * @property {boolean} first shown without unfolding
 * @property {Map<string, [string, number]>} options by key: how it is called, how many rows have it
 * @property {[number, number] | null} range of numbers: the least and the greatest
 * @property {(wanted: string) => (row: number) => boolean} test
 */

/** @typedef {{name: string, label: string, value: (row: number) => number | string | null}} Order */

/**
 * The same, those of one label told apart: a task may call a value or a tag as it likes.
 * @template {{name: string, label: string}} T
 * @param {T[]} all
 * @returns {T[]}
 */
function toldApart(all) {
  const labels = all.map((one) => one.label.toLowerCase());
  return all.map((one, i) => {
    const kind = /^(f\.)?v\./.test(one.name) ? "value" : /^f\.t\./.test(one.name) ? "tag" : "";
    const twin = labels.some((label, j) => j !== i && label === labels[i]);
    return kind && twin ? { ...one, label: `${one.label} (${kind})` } : one;
  });
}

/**
 * A choice among keys. Returns null where every row has the same.
 * @param {{name: string, label: string, about?: string, first?: boolean}} given
 * @param {number} length
 * @param {(row: number) => string[]} keys of a row
 * @param {(key: string) => string} [title] of a key
 * @returns {Facet | null}
 */
function choiceFacet(given, length, keys, title = (key) => key) {
  /** @type {Map<string, [string, number]>} */
  const options = new Map();
  let whole = false;  // a key that all rows have tells nothing
  for (let row = 0; row < length; row += 1) {
    for (const key of keys(row)) {
      const known = options.get(key);
      if (known) { known[1] += 1; } else { options.set(key, [title(key) || EMPTY, 1]); }
    }
  }
  whole = [...options.values()].every(([, count]) => count === length);
  if (whole) { return null; }
  /** @type {Facet["test"]} */
  const test = (wanted) => {
    if (options.has(wanted)) { return (row) => keys(row).includes(wanted); }
    const part = wanted.toLowerCase();
    const fitting = new Set([...options].filter(([, [label]]) => label.toLowerCase().includes(part)).map(([key]) => key));
    return (row) => keys(row).some((key) => fitting.has(key));
  };
  return { about: "", first: false, ...given, options, range: null, test };
}

/**
 * A range of numbers as they are shown, asked for as "low..high", either of which may be empty.
 * @param {{name: string, label: string, about?: string, first?: boolean}} given
 * @param {number} length
 * @param {(row: number) => number | null} value
 * @returns {Facet | null}
 */
function rangeFacet(given, length, value) {
  let [low, high] = [Infinity, -Infinity];
  for (let row = 0; row < length; row += 1) {
    const found = value(row);
    if (found !== null) { [low, high] = [Math.min(low, found), Math.max(high, found)]; }
  }
  if (low >= high) { return null; }
  /** @type {Facet["test"]} */
  const test = (wanted) => {
    const [from, to] = wanted.split("..");
    const [least, most] = [from ? asShown(Number(from)) : -Infinity, to ? asShown(Number(to)) : Infinity];
    return (row) => { const found = asShown(value(row) ?? NaN); return found >= least && found <= most; };
  };
  return { about: "", first: false, ...given, options: new Map(), range: [low, high], test };
}

/**
 * Facets of a list of entries, which may lack one here and there.
 * @param {Source} source
 * @param {number} length
 * @param {(row: number) => number | null} at the row in the source
 * @returns {{cell: Facet | null, others: (Facet | null)[]}}
 */
function sourceFacets(source, length, at) {
  const { index } = source;
  const columns = index.samples;
  /** @type {(column: number[], names: string[]) => (row: number) => string[]} */
  const listed = (column, names) => (row) => {
    const own = at(row);
    const place = own === null ? -1 : column[own] ?? -1;
    return place < 0 ? [] : [names[place]];
  };
  const cells = index.cells.map((one) => one.id);
  const cell = choiceFacet({ name: "f.cell", label: "Cell", first: true }, length, listed(columns.cell, cells),
    (key) => cellName(index, index.cells[cells.indexOf(key)]));
  const headlines = new Set(index.cells.map((one) => one.headline));
  const reasons = choiceFacet({ name: "f.reason", label: "Unscored because", first: true }, length, (row) => {
    const own = at(row);
    const found = own === null ? [] : columns.values.map((column) => column[own]);
    return [...new Set(found.flatMap((one) => (one && typeof one === "object" ? [index.reasons[one.u]] : [])))];
  });
  const values = index.values.map((column, i) => {
    const { kind, about, name } = column;
    const given = { name: `f.v.${name}`, label: name, about, first: headlines.has(name) };
    /** @type {(row: number) => Value} */
    const value = (row) => { const own = at(row); return own === null ? null : columns.values[i][own] ?? null; };
    if (kind === "number") {
      return rangeFacet(given, length, (row) => { const one = value(row); return one === null || typeof one === "object" ? null : Number(one); });
    }
    return choiceFacet(given, length, (row) => {
      const one = value(row);
      return [one === null ? "none" : typeof one === "object" ? "unscored" : kind === "flag" ? valueText(one) : `=${one}`];
    }, (key) => (key === "none" ? "no value" : key.replace(/^=/, "")));
  });
  return { cell, others: [
    choiceFacet({ name: "f.outcome", label: "Outcome", first: true }, length, listed(columns.outcome, index.outcomes)),
    choiceFacet({ name: "f.finish", label: "Finish", first: true }, length, listed(columns.finish, index.finishes)),
    reasons,
    choiceFacet({ name: "f.trial", label: "Trial" }, length, (row) => { const own = at(row); return own === null ? [] : [String(columns.trial[own])]; }),
    ...index.tags.map((tag, i) => choiceFacet({ name: `f.t.${tag.name}`, label: tag.name, first: i < 3 }, length, listed(columns.tags[i], tag.values))),
    ...values,
  ] };
}

/**
 * The rows in an order; those without a value come last, both ways.
 * @param {number[]} rows
 * @param {Order | undefined} order
 * @param {boolean} down
 * @returns {number[]}
 */
function sorted(rows, order, down) {
  if (!order) { return down ? rows.reverse() : rows; }
  const sign = down ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: order.value(row) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) { return Number(a.key === null) - Number(b.key === null) || a.row - b.row; }
    if (a.key === b.key) { return a.row - b.row; }
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map((one) => one.row);
}
