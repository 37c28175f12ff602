/* Rows of two sources as pairs: the same sample and trial in cells that belong together, most telling first. */
"use strict";

/** @typedef {{a: number, b: number, better: string, difference: number | null, telling: number}} Pair */

const BETTER = new Map([["a", "A better"], ["b", "B better"], ["same", "same"], ["differ", "differ"], ["lacks", "one lacks"]]);

/**
 * Which cells belong together, by their places.
 * @param {Source} a
 * @param {Source} b
 * @param {string} given "0:0 1:2", else by equal task and label, or as the only ones of a task
 * @returns {[number, number][]}
 */
function cellPairs(a, b, given) {
  if (given.trim()) {
    return given.trim().split(/\s+/).map((one) => /** @type {[number, number]} */ (one.split(":").map(Number)));
  }
  const [left, right] = [a.index.cells, b.index.cells];
  return left.flatMap((cell, i) => {
    const own = right.flatMap((other, j) => (other.task === cell.task ? [j] : []));
    const same = own.find((j) => right[j].label === cell.label);
    const only = own.length === 1 && left.filter((one) => one.task === cell.task).length === 1 ? own[0] : undefined;
    const found = same ?? only;
    return found === undefined ? [] : [/** @type {[number, number]} */ ([i, found])];
  });
}

/**
 * @param {Value} value
 * @returns {number | null}
 */
function amount(value) {
  return typeof value === "boolean" ? Number(value) : typeof value === "number" ? value : null;
}

/** @implements {Model} */
class Pairs {
  /**
   * @param {Source} a
   * @param {Source} b
   * @param {string} given see cellPairs
   */
  constructor(a, b, given) {
    this.sources = [a, b];
    /** @type {[string, string]} */
    this.noun = ["pair", "pairs"];
    this.natural = "most telling first";
    this.pairs = cellPairs(a, b, given).flatMap(([i, j]) => this.#matched(i, j)).sort((x, y) => y.telling - x.telling);
    this.length = this.pairs.length;
    const facets = [a, b].map((source, side) => sourceFacets(source, this.length, (row) => {
      const own = side ? this.pairs[row].b : this.pairs[row].a;
      return own < 0 ? null : own;
    }));
    const better = choiceFacet({ name: "f.better", label: "Better", first: true }, this.length,
      (row) => [this.pairs[row].better], (key) => BETTER.get(key) ?? key);
    /** @type {(facet: Facet | null, name: string) => Facet | null} */
    const renamed = (facet, name) => facet && { ...facet, name: `${facet.name}.${name}`, label: `${facet.label} of ${name}`, first: false };
    const tags = facets[0].others.filter((one) => one?.name.startsWith("f.t."));
    const sides = facets.flatMap(({ others }, side) => others
      .filter((one) => /^f\.(finish|outcome|reason)$/.test(one?.name ?? "")).map((one) => renamed(one, side ? "B" : "A")));
    this.facets = toldApart(/** @type {Facet[]} */ ([better, facets[0].cell, ...tags, ...sides].filter(Boolean)));
    /** @type {Order[]} */
    this.orders = [
      { name: "id", label: "id", value: (row) => (this.pairs[row].a < 0 ? a.length + this.pairs[row].b : this.pairs[row].a) },
      { name: "difference", label: "A minus B", value: (row) => this.pairs[row].difference },
    ];
    /** @type {Map<string, number[]>} */
    this.byId = new Map();
    this.pairs.forEach((_, row) => {
      const { sample } = this.identity(row);
      this.byId.set(sample, [...(this.byId.get(sample) ?? []), row]);
    });
  }

  /**
   * Pairs of two cells.
   * @param {number} i
   * @param {number} j
   * @returns {Pair[]}
   */
  #matched(i, j) {
    const cells = [[this.sources[0], i], [this.sources[1], j]].map(([source, place]) =>
      new PairedCell(/** @type {Source} */ (source), /** @type {number} */ (place)));
    const ends = cells.flatMap((one) => one.amounts());
    const range = ends.reduce((x, y) => Math.max(x, y), -Infinity) - ends.reduce((x, y) => Math.min(x, y), Infinity) || 1;
    return [...new Set(cells.flatMap((one) => [...one.rows.keys()]))].map((key) => {
      const [a, b] = cells.map((one) => one.rows.get(key) ?? -1);
      const [x, y] = [cells[0].value(a), cells[1].value(b)];
      const [first, second] = [amount(x), amount(y)];
      const difference = first === null || second === null ? null : first - second;
      const finishes = a >= 0 && b >= 0 && cells[0].finish(a) !== cells[1].finish(b);
      const lacks = a < 0 || b < 0 || difference === null && [x, y].some((one) => typeof one !== "string");
      return { a, b, difference, better: lacks ? "lacks" : betterOf(x, y, difference, cells[0].cell.direction),
        telling: lacks ? -1 : Math.abs(difference ?? Number(x !== y)) / range + (finishes ? 1e-9 : 0) };
    });
  }

  /** @type {Model["legend"]} */
  legend() {
    return this.sources.map((source, side) => make("span", {}, make("b", {}, side ? "B " : "A "), words(source.label)));
  }

  /** @param {number} row @returns {(Entry | null)[]} */
  entries(row) {
    const { a, b } = this.pairs[row];
    return [a, b].map((own, side) => (own < 0 ? null : { source: this.sources[side], row: own }));
  }

  /** @param {number} row @returns {Entry} */
  #first(row) {
    const [a, b] = this.entries(row);
    return /** @type {Entry} */ (a ?? b);
  }

  /** @type {Model["preview"]} */
  preview(row) {
    const both = this.entries(row).flatMap((one) => (one ? [questionOf(one), answerOf(one)] : []));
    return [this.identity(row).sample, ...both].join("\n");
  }

  /** @param {number} row */
  #better(row) {
    const { better, difference } = this.pairs[row];
    const by = difference && !Number.isInteger(difference) ? ` by ${numberText(Math.abs(difference))}` : "";
    return make("span", { class: "sv-chip" }, `${BETTER.get(better)}${by}`);
  }

  /** @type {Model["describe"]} */
  describe(row) {
    const first = this.#first(row);
    return [
      make("span", { class: "sv-row-head" }, words(this.identity(row).sample, "sv-id"), make("span", { class: "sv-chips" }, this.#better(row))),
      placeName(first) && words(placeName(first), "sv-line sv-aside"),
      words(questionOf(first) || "(no question)", "sv-line"),
      ...this.entries(row).map((entry, side) => make("span", { class: "sv-line sv-answer" }, make("b", {}, side ? "B " : "A "),
        entry ? verdictChip(entry) : "", " ", words(entry ? answerOf(entry) || "(no answer)" : "not in this run"))),
    ];
  }

  /** @type {Model["spoken"]} */
  spoken(row) {
    return `${this.identity(row).sample}, ${BETTER.get(this.pairs[row].better)}`;
  }

  /** @type {Model["identity"]} */
  identity(row) {
    return identityOf(this.#first(row));
  }

  /** @type {Model["find"]} */
  find(wanted) {
    return this.byId.get(wanted.sample)?.find((row) => this.entries(row).some((one) => one && fits(identityOf(one), wanted))) ?? -1;
  }

  /** @type {Model["hit"]} */
  hit(row, found) {
    const { a, b } = this.pairs[row];
    return (a >= 0 && found[0][a] === 1) || (b >= 0 && found[1][b] === 1);
  }

  /** @type {Model["others"]} */
  others() {
    return [];
  }

  /** @type {Model["head"]} */
  head(row) {
    const first = this.#first(row);
    return [this.#better(row), words(placeName(first), "sv-aside"),
      ...tagsOf(first).map(([name, value]) => words(`${name}: ${value}`, "sv-tag"))];
  }

  /** @type {Model["draw"]} */
  async draw(row, _, level) {
    const names = /** @type {[string, string]} */ (this.sources.map((source, side) => `${side ? "B" : "A"} · ${source.label}`));
    const both = await Promise.all(this.entries(row).map((one) => one && opened(one)));
    const [left, right] = both;
    if (left && right) { return drawSides([left, right], names, level); }
    const only = /** @type {Opened} */ (left ?? right);
    return [make("p", { class: "sv-note" }, words(`Only ${names[left ? 0 : 1]} has this sample.`)), ...drawSample(only, level)];
  }
}

/** One cell of a source: its rows by sample and trial. */
class PairedCell {
  /**
   * @param {Source} source
   * @param {number} place
   */
  constructor(source, place) {
    this.source = source;
    this.cell = source.index.cells[place];
    if (!this.cell) { throw new Error(`There is no cell ${place} in ${source.label}.`); }
    /** @type {Map<string, number>} */
    this.rows = new Map();
    const { id, cell, trial } = source.index.samples;
    cell.forEach((one, row) => { if (one === place) { this.rows.set(JSON.stringify([id[row], trial[row]]), row); } });
  }

  /**
   * @param {number} row -1 for none
   * @returns {Value}
   */
  value(row) {
    return row < 0 ? null : valueOf({ source: this.source, row }, this.cell.headline);
  }

  /** @param {number} row */
  finish(row) {
    return finishOf({ source: this.source, row });
  }

  /** Every headline value that is a number. */
  amounts() {
    return [...this.rows.values()].flatMap((row) => amount(this.value(row)) ?? []);
  }
}

/**
 * @param {Value} a
 * @param {Value} b
 * @param {number | null} difference a minus b
 * @param {Direction} direction
 * @returns {string} a key of BETTER
 */
function betterOf(a, b, difference, direction) {
  if (difference === 0 || a === b) { return "same"; }
  if (difference === null || direction === "neither") { return "differ"; }
  return (difference > 0) === (direction === "higher") ? "a" : "b";
}
