/* The rows of one source: a sample in a cell and a trial each; another cell or trial of it can stand beside. */
"use strict";

/** @implements {Model} */
class Browse {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.sources = [source];
    this.length = source.length;
    /** @type {[string, string]} */
    this.noun = ["answer", "answers"];
    this.natural = "sample, cell";
    const { cell, others } = sourceFacets(source, this.length, (row) => row);
    this.facets = toldApart(/** @type {Facet[]} */ ([cell, ...others].filter(Boolean)));
    const { samples, values, outcomes } = source.index;
    /** @type {Order[]} */
    this.orders = toldApart([
      { name: "id", label: "id", value: (row) => row },  // as they come
      { name: "outcome", label: "outcome, worst first", value: (row) => ["bad", "between", "unscored", "pending", "scored", "good"].indexOf(outcomes[samples.outcome[row]]) },
      ...values.map((column, i) => ({ name: `v.${column.name}`, label: column.name, value: (/** @type {number} */ row) => {
        const found = samples.values[i][row] ?? null;
        return typeof found === "object" ? null : typeof found === "boolean" ? Number(found) : found;
      } })),
      { name: "tokens", label: "tokens", value: (row) => samples.tokens[row] },
      { name: "seconds", label: "seconds", value: (row) => samples.seconds[row] },
    ]);
    /** @type {Map<string, number[]>} */
    this.byId = new Map();
    samples.id.forEach((id, row) => {
      const own = this.byId.get(id);
      if (own) { own.push(row); } else { this.byId.set(id, [row]); }
    });
  }

  /** @type {Model["legend"]} */
  legend() {
    return [];
  }

  /** @param {number} row @returns {Entry} */
  entry(row) {
    return { source: this.source, row };
  }

  /** @type {Model["preview"]} */
  preview(row) {
    const entry = this.entry(row);
    return `${this.source.index.samples.id[row]}\n${questionOf(entry)}\n${answerOf(entry)}`;
  }

  /** @type {Model["describe"]} */
  describe(row) {
    const entry = this.entry(row);
    return [
      make("span", { class: "sv-row-head" }, words(this.source.index.samples.id[row], "sv-id"),
        make("span", { class: "sv-chips" }, finishChip(entry), verdictChip(entry))),
      placeName(entry) && words(placeName(entry), "sv-line sv-aside"),
      words(questionOf(entry) || "(no question)", "sv-line"),
      words(answerOf(entry) || "(no answer)", "sv-line sv-answer"),
    ];
  }

  /** @type {Model["spoken"]} */
  spoken(row) {
    return [this.source.index.samples.id[row], placeName(this.entry(row)), verdictText(this.entry(row))].filter(Boolean).join(", ");
  }

  /** @type {Model["identity"]} */
  identity(row) {
    return identityOf(this.entry(row));
  }

  /** @type {Model["find"]} */
  find(wanted) {
    return this.byId.get(wanted.sample)?.find((row) => fits(this.identity(row), wanted)) ?? -1;
  }

  /** @type {Model["hit"]} */
  hit(row, found) {
    return found[0][row] === 1;
  }

  /** @param {number} row */
  #key(row) {
    const { cell, trial } = this.identity(row);
    return `${cell}.${trial}`;
  }

  /**
   * Other rows of the sample: two tasks may use the same id for samples of their own.
   * @param {number} row
   */
  #besides(row) {
    const own = this.byId.get(this.source.index.samples.id[row]) ?? [];
    const { task } = cellOf(this.entry(row));
    return own.filter((one) => one !== row && cellOf(this.entry(one)).task === task);
  }

  /** @type {Model["others"]} */
  others(row) {
    return this.#besides(row).map((one) => [this.#key(one), nameBeside(this.entry(one), this.entry(row))]);
  }

  /** @type {Model["head"]} */
  head(row) {
    const entry = this.entry(row);
    return [verdictChip(entry), finishChip(entry), words(placeName(entry), "sv-aside"),
      ...tagsOf(entry).map(([name, value]) => words(`${name}: ${value}`, "sv-tag"))];
  }

  /** @type {Model["draw"]} */
  async draw(row, beside, level) {
    const shown = await opened(this.entry(row));
    const other = this.#besides(row).find((one) => this.#key(one) === beside);
    if (other === undefined) { return drawSample(shown, level); }
    const second = await opened(this.entry(other));
    return drawSides([shown, second], [nameBeside(shown.entry, second.entry), nameBeside(second.entry, shown.entry)], level);
  }
}
