/* Search in the full texts of a source: parts are opened a few at a time in the background, and results grow. */
"use strict";

const AT_A_TIME = 3;

/**
 * The words of a query, all of which must be found; "quoted words" are one.
 * @param {string} query
 * @returns {string[]}
 */
function queryWords(query) {
  return [...query.toLowerCase().matchAll(/"([^"]+)"|([^\s"]+)/g)].map((found) => found[1] ?? found[2]);
}

/**
 * Places of all texts that a sample shows.
 * @param {SampleBody} body
 * @returns {number[]}
 */
function placesIn(body) {
  const found = [body.text];
  for (const call of body.calls) {
    if (typeof call === "string") { continue; }
    for (const list of [call.messages, call.between, call.tail]) {
      for (const one of list) { found.push(one[1]); }
    }
    found.push(call.prompt, call.reply, call.reasoning, ...call.texts);
  }
  return found;
}

/**
 * Which samples of a part hold every word.
 * @param {Part} part
 * @param {string[]} wanted
 * @returns {boolean[]}
 */
function matchesIn(part, wanted) {
  const texts = part.texts.map((text) => (typeof text === "string" ? text : text[0]).toLowerCase());
  const inTexts = wanted.map((word) => texts.map((text) => text.includes(word)));
  return part.samples.map((body) => {
    const places = placesIn(body);
    /** @type {string | null} */
    let rest = null;  // what stands in the sample itself: blocks, values, tool calls
    return wanted.every((word, i) => {
      if (places.some((place) => place >= 0 && inTexts[i][place])) { return true; }
      rest ??= stringsIn([body.blocks, body.values, body.parts, body.data, body.calls]).join("\n").toLowerCase();
      return rest.includes(word);
    });
  });
}

/**
 * How many texts of a part end before their end.
 * @param {Part} part
 * @returns {number}
 */
function cutIn(part) {
  const own = part.samples.flatMap((one) => stringsIn([one.blocks, one.values, one.parts, one.calls]));
  const known = new Set(part.texts.filter((one) => typeof one === "string"));  // texts of blocks are these, too
  return part.texts.filter((one) => typeof one !== "string" || leftOut(one)).length + own.filter((one) => leftOut(one) && !known.has(one)).length;
}

/**
 * How many messages and texts of requests are left out of a part.
 * @param {Part} part
 * @returns {number}
 */
function hiddenIn(part) {
  const calls = part.samples.flatMap((one) => one.calls);
  return calls.reduce((sum, one) => sum + (typeof one === "string" ? 0 : one.hidden + one.more_texts), 0);
}

/**
 * All strings in a value of JSON.
 * @param {unknown} value
 * @param {string[]} [found]
 * @returns {string[]}
 */
function stringsIn(value, found = []) {
  if (typeof value === "string") {
    found.push(value);
  } else if (value && typeof value === "object") {
    for (const one of Object.values(value)) { stringsIn(one, found); }
  }
  return found;
}

class Search {
  /** @param {Source[]} sources */
  constructor(sources) {
    this.sources = sources;
    this.turn = 0;
    this.done = 0;
    this.total = 0;
    this.failed = "";
    this.cut = 0;  // texts whose ends are in no part
    this.hidden = 0;  // messages that are in no part
    /** Which rows of each source were found. */
    this.found = sources.map((source) => new Uint8Array(source.length));
  }

  /** Whether parts are still to be read. */
  get running() {
    return this.done < this.total;
  }

  /** What the searched parts lack, as a sentence. */
  get gaps() {
    const [cut, hidden] = [this.cut, this.hidden];
    return [cut ? `${counted(cut, "text is", "texts are")} cut and not searched to the end` : "",
      hidden ? `${counted(hidden, "message is", "messages are")} left out and not searched` : ""].filter(Boolean).join("; ");
  }

  /** Forget what was found, and stop. */
  stop() {
    this.turn += 1;
    this.done = this.total = this.cut = this.hidden = 0;
    this.failed = "";
    this.found.forEach((one) => one.fill(0));
  }

  /**
   * Look for words in all parts; `tell` is called as results come.
   * @param {string[]} wanted
   * @param {() => void} tell
   */
  async start(wanted, tell) {
    this.stop();
    const turn = this.turn;
    const waiting = this.sources.flatMap((source, i) => {
      /** @type {Map<number, number[]>} */
      const rows = new Map();
      source.index.samples.part.forEach((part, row) => {
        const own = rows.get(part);
        if (own) { own.push(row); } else { rows.set(part, [row]); }
      });
      return [...rows].map(([part, own]) => ({ source, found: this.found[i], part, own }));
    });
    this.total = waiting.length;
    const next = async () => {
      for (let one = waiting.shift(); one && turn === this.turn; one = waiting.shift()) {
        try {
          const part = await one.source.part(one.part, false);
          const matches = matchesIn(part, wanted);
          if (turn !== this.turn) { return; }
          this.cut += cutIn(part);
          this.hidden += hiddenIn(part);
          for (const row of one.own) { one.found[row] = Number(matches[one.source.index.samples.at[row]] ?? false); }
        } catch (error) {
          this.failed = error instanceof Error ? error.message : String(error);
        }
        if (turn !== this.turn) { return; }
        this.done += 1;
        tell();
        await new Promise((resolve) => { setTimeout(resolve); });  // keys and clicks come first
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, next));
  }
}
