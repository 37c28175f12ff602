/* A source of samples: its index, and parts that are opened when they are asked for. They stand in elements of the
   page, as `dense` of embedding.py writes them, or in scripts beside it, as base64; both hold gzip. */
"use strict";

const PARTS_KEPT = 12;
const LEAST_OPENING = 25;  // characters that all questions begin with before these are left out
/** Sevens of bits that stand together with the next seven; embedding.py has the same. */
const AWKWARD = [0, 5, 7, 8, 10, 11, 12, 13, 14, 15, 26, 27, 60, 127];

/** What scripts beside the page hand over: bodies that somebody waits for. @type {Map<string, (body: string, trouble?: string) => void>} */
const awaited = new Map();
window.suitePart = (name, part, body) => { awaited.get(`${name} ${part}`)?.(body); };
window.suiteIndex = (name, body) => { awaited.get(`${name} index`)?.(body); };
window.suiteTrouble = ([name, trouble]) => { awaited.get(`${name} index`)?.("", trouble); };

/**
 * The bytes of an element of samples.
 * @param {string} text
 */
function fromDense(text) {
  const bytes = new Uint8Array(2 * text.length);
  let size = 0, held = 0, bits = 0;
  /** @param {number} seven */
  const put = (seven) => {
    held = (held << 7 | seven) & 0x3fff;
    bits += 7;
    if (bits >= 8) { bits -= 8; bytes[size] = held >> bits; size += 1; }
  };
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0x800) { put(AWKWARD[code - 0x800]); continue; }
    if (code >= 0x100) { put(AWKWARD[(code >> 7) - 2]); }
    put(code & 0x7f);
  }
  return bytes.slice(0, size);
}

/**
 * The bytes that a script beside the page hands over.
 * @param {string} body base64
 */
function fromBase64(body) {
  return Uint8Array.from(atob(body), (one) => one.charCodeAt(0));
}

/**
 * Read gzip of JSON.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<any>}
 */
async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/**
 * Run a script beside the page that hands over one body.
 * @param {string} key
 * @param {string} address
 * @returns {Promise<string>}
 */
function loaded(key, address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const done = () => { awaited.delete(key); script.remove(); };
    awaited.set(key, (body, trouble) => { done(); trouble ? reject(new Error(trouble)) : resolve(body); });
    script.onerror = () => { done(); reject(new Error(`${address} cannot be read; it belongs beside this page.`)); };
    script.src = address;
    document.head.append(script);
  });
}

/**
 * A part as the page reads it: texts that are made of others put together, bodies with everything they may leave out.
 * @param {WrittenPart} read
 * @returns {Part}
 */
function readPart(read) {
  /** @param {WrittenText} one @returns {CutText} */
  const joined = (one) => {
    if (typeof one === "string" || Array.isArray(one)) { return one; }
    const text = one.pieces.map((piece) => (typeof piece === "number" ? read.texts[piece] : piece)).join("");
    return one.left ? [text, one.left] : text;
  };
  const texts = read.texts.map(joined);
  /** @param {CutText} one a text of a block, which says itself what is left out */
  const whole = (one) => (typeof one === "string" ? one : `${one[0]}\n… ${one[1].toLocaleString("en")} characters more`);
  /** @param {any} one a block or a turn with the places of its texts @returns {any} */
  const filled = (one) => ({
    ...one,
    ...(typeof one.text === "number" && { text: whole(texts[one.text] ?? "") }),
    ...(typeof one.code === "number" && { code: whole(texts[one.code] ?? "") }),
    ...(one.turns && { turns: one.turns.map(filled) }),
  });
  const samples = read.samples.map((body) => ({
    text: -1, values: {}, parts: [], note: "", calls: [], ...body,
    data: texts[body.data ?? -1] ?? null, blocks: (body.blocks ?? []).map(filled),
  }));
  return { texts, samples };
}

/**
 * How long the beginning is that all questions of each cell have in common, in whole words; 0 where it is short.
 * @param {Index} index
 */
function openingsOf({ cells, questions, samples }) {
  /** @type {Set<string>[]} */
  const asked = cells.map(() => new Set());
  samples.question.forEach((place, row) => asked[samples.cell[row]].add(questions[place] ?? ""));
  return asked.map((texts) => {
    const [first = "", ...rest] = texts;
    let end = rest.length ? first.length : 0;
    for (const text of rest) {
      while (!text.startsWith(first.slice(0, end))) { end -= 1; }
    }
    end = first.lastIndexOf(" ", end - 1) + 1;
    return end < LEAST_OPENING ? 0 : end;
  });
}

class Source {
  /**
   * @param {string} name
   * @param {string} base where scripts lie, if the page itself does not hold the samples
   */
  constructor(name, base) {
    this.name = name;
    this.base = base;
    this.severalTrials = false;
    /** By cell, how much of its questions' previews is not shown. @type {number[]} */
    this.openings = [];
    /** @type {Index} */
    this.index = /** @type {any} */ (null);
    /** @type {Map<number, Promise<Part>>} */
    this.kept = new Map();
    /** @type {Map<string, Element>} */
    this.inline = new Map();
    for (const one of document.querySelectorAll("script.suite-part, script.suite-index")) {
      const { source, part } = /** @type {HTMLElement} */ (one).dataset;
      if (source === name) { this.inline.set(part ?? "index", one); }
    }
  }

  /** Read the index. Rejects with a sentence. */
  async open() {
    const index = await this.#read("index");
    if (index.format !== "suite-view/1") {
      throw new Error(`These samples are of format ${index.format}; this page reads suite-view/1.`);
    }
    this.index = index;
    this.openings = openingsOf(index);
    this.severalTrials = this.index.samples.trial.some((one) => one !== this.index.samples.trial[0]);
    return this;
  }

  /** @returns {string} */
  get label() {
    return this.index.run.label || this.index.run.name;
  }

  /** How many rows there are. */
  get length() {
    return this.index.samples.id.length;
  }

  /**
   * A part; the last few are kept. keep: false for one that is read once.
   * @param {number} number
   * @param {boolean} [keep]
   * @returns {Promise<Part>}
   */
  part(number, keep = true) {
    const found = this.kept.get(number) ?? this.#read(String(number)).then(readPart);
    if (keep) {
      this.kept.delete(number);
      this.kept.set(number, found);
      found.catch(() => this.kept.delete(number));
      if (this.kept.size > PARTS_KEPT) { this.kept.delete([...this.kept.keys()][0]); }
    }
    return found;
  }

  /**
   * @param {number} row
   * @returns {Promise<[SampleBody, CutText[]]>}
   */
  async body(row) {
    const { part, at } = this.index.samples;
    const found = await this.part(part[row]);
    return [found.samples[at[row]], found.texts];
  }

  /**
   * @param {string} what "index" or the number of a part
   * @returns {Promise<any>}
   */
  async #read(what) {
    const element = this.inline.get(what);
    const trouble = element instanceof HTMLElement && element.dataset.trouble;
    if (trouble) { throw new Error(trouble); }
    const file = what === "index" ? what : `part-${what}`;
    return unpacked(element ? fromDense(element.textContent ?? "") :
      fromBase64(await loaded(`${this.name} ${what}`, `${this.base}${this.name}/${file}.js`)));
  }
}
