/* One sample: what was asked and answered, its scores, verdicts and calls. */
"use strict";

const MOST_PARTS_OPEN = 12;
const MOST_VALUES_OPEN = 8;

/** What is shown of a row. @typedef {{entry: Entry, body: SampleBody, texts: CutText[]}} Opened */

/**
 * @param {Entry} entry
 * @returns {Promise<Opened>}
 */
async function opened(entry) {
  const [body, texts] = await entry.source.body(entry.row);
  return { entry, body, texts };
}

/**
 * A titled part of a sample; none if there is nothing in it.
 * @param {string} title
 * @param {number} level
 * @param {Child[]} children
 * @returns {HTMLElement | null}
 */
function section(title, level, children) {
  const inside = children.filter(Boolean);
  return inside.length ? make("section", { class: "sv-section" },
    heading(level, { class: "sv-heading" }, title), ...inside) : null;
}

/**
 * The sections of one sample.
 * @param {Opened} shown
 * @param {number} level of their headings
 * @returns {Child[]}
 */
function drawSample(shown, level) {
  const { body, texts } = shown;
  const own = body.blocks.length > 0;
  const said = drawConversation(body, texts);
  const asked = own && !showsQuestion(body, texts);  // a view need not tell what was asked
  const answer = drawAnswer(shown);
  return [
    body.note && make("p", { class: "sv-note", dir: "auto" }, body.note),
    drawValues(shown),
    asked && section("Question", level, lastOpen(conversationOf(body), texts)),
    own && section("As the task shows it", level, body.blocks.map((one) => drawBlock(one, level + 1))),
    !own && section("Conversation", level, said),
    !own && section(answerTitle(shown.entry), level, answer),
    section("Verdicts", level, drawVerdicts(body, texts)),
    drawParts(body, level),
    own && !asked && said.length > 0 && fold(["Conversation"], () => drawConversation(body, texts)),
    own && fold([answerTitle(shown.entry)], () => drawAnswer(shown)),
    drawCalls(body, texts),
  ];
}

/**
 * Whether the task's own view shows the last message of the conversation, or there is none.
 * @param {SampleBody} body
 * @param {CutText[]} texts
 * @returns {boolean}
 */
function showsQuestion(body, texts) {
  const last = conversationOf(body).at(-1);
  const text = last && typeof last !== "number" ? textAt(texts, last[1])[0].trim() : "";
  return stringsIn(body.blocks).some((one) => one.includes(text.slice(0, 200)) || (one.length > 20 && text.includes(one.trim())));
}

/** @param {Entry} entry */
function answerTitle(entry) {
  const finish = finishOf(entry);
  return finish === "stop" || !finish ? "Answer" : `Answer (ended: ${finish})`;
}

/**
 * @param {SampleBody} body
 * @param {CutText[]} texts
 * @returns {Child[]}
 */
function drawConversation(body, texts) {
  return drawMessages(conversationOf(body), texts);
}

/**
 * @param {Opened} shown
 * @returns {Child[]}
 */
function drawAnswer({ body, texts }) {
  const [text, notes, left] = textAt(texts, body.text);
  const [data, cut, more] = cutText(body.data ?? "");
  const shown = () => [passage([data], data, "sv-code", more), ...cut.map((note) => make("p", { class: "sv-note" }, note))];
  return [
    text && message("assistant", text, notes, [], undefined, left),
    ...(data ? (text ? [fold(["Data"], shown)] : shown()) : []),
    !text && !data && make("p", { class: "sv-note" }, body.note ? "Not shown." : "No text."),
  ];
}

/**
 * The values of the score, each with its name; unscored ones with their reason, the less telling ones folded.
 * @param {Opened} shown
 * @returns {HTMLElement | null}
 */
function drawValues({ entry, body }) {
  const { values } = entry.source.index;
  const { headline } = cellOf(entry);
  const all = Object.entries(body.values).sort(([a], [b]) => Number(b === headline) - Number(a === headline));
  /** @type {(pairs: [string, BodyValue][]) => HTMLElement} */
  const list = (pairs) => make("dl", { class: "sv-values" }, ...pairs.map(([name, value]) =>
    make("div", { class: name === headline ? `sv-headline sv-${outcomeOf(entry)}` : null },
      make("dt", { dir: "auto", title: values.find((one) => one.name === name)?.about || null }, name),
      make("dd", { dir: "auto" }, bodyValue(value, valueBeside(entry.source, name, value))))));
  const few = all.length <= MOST_VALUES_OPEN;
  const first = all.filter(([name, value]) => few || name === headline || value !== null).slice(0, MOST_VALUES_OPEN);
  const rest = all.filter((one) => !first.includes(one));
  return all.length ? make("div", { role: "group", "aria-label": "Scores" }, list(first),
    rest.length > 0 && fold([counted(rest.length, "more value")], () => [list(rest)], "sv-fold sv-values-more")) : null;
}

/**
 * @param {BodyValue} value
 * @param {string} text of it
 * @returns {Child}
 */
function bodyValue(value, text) {
  const detail = value !== null && typeof value === "object" ? value.detail : "";
  if (!detail) { return text.length > 300 ? fold([`${text.slice(0, 80)}…`], () => [passage([text], text)]) : text; }
  return make("div", {}, text, fold(["Why"], () => [passage([detail], detail)]));
}

/**
 * The parts of the score as a table, folded if there are many.
 * @param {SampleBody} body
 * @param {number} level
 * @returns {HTMLElement | null}
 */
function drawParts(body, level) {
  if (!body.parts.length) { return null; }
  const tags = [...new Set(body.parts.flatMap((one) => Object.keys(one.tags)))];
  const values = [...new Set(body.parts.flatMap((one) => Object.keys(one.values)))];
  const rows = () => table(["part", ...tags, ...values], body.parts.map((one) => [one.id,
    ...tags.map((name) => (Object.hasOwn(one.tags, name) ? one.tags[name] : null)),
    ...values.map((name) => { const value = Object.hasOwn(one.values, name) ? one.values[name] : null; return typeof value === "object" && value ? valueText(value) : value; })]));
  return section("Parts of the score", level, body.parts.length <= MOST_PARTS_OPEN ? [rows()] :
    [fold([counted(body.parts.length, "part")], () => [rows()])]);
}

/**
 * @param {SampleBody} body
 * @param {CutText[]} texts
 * @returns {HTMLElement | null}
 */
function drawCalls(body, texts) {
  if (!body.calls.length) { return null; }
  const known = body.calls.flatMap((one) => (typeof one === "string" ? [] : [one]));
  const tokens = known.reduce((sum, one) => sum + one.tokens[0] + one.tokens[1], 0);
  const seconds = known.reduce((sum, one) => sum + one.seconds, 0);
  const told = [tokens ? `${numberText(tokens)} tokens` : "", secondsText(seconds)].filter(Boolean).join(" · ");
  return fold([counted(body.calls.length, "call"), told && make("span", { class: "sv-aside" }, told)],
    () => body.calls.map((one) => drawCall(one, texts)));
}
