/* Calls behind a sample: the conversation rebuilt from them, verdicts of judges, and each call for itself. */
"use strict";

const MOST_OPEN = 6;  // messages, verdicts that are shown without a click

/** A number stands for that many messages that are not in this page. @typedef {Message | number} Said */

/**
 * @param {CutText[]} texts
 * @param {number} place
 * @returns {[string, string[], number]} the text, a note if it was cut, and how many characters are left out
 */
function textAt(texts, place) {
  return cutText(place < 0 ? "" : texts[place] ?? "");
}

/**
 * @param {CutText} found
 * @returns {[string, string[], number]} as textAt
 */
function cutText(found) {
  return typeof found === "string" ? [found, [], leftOut(found)] : [found[0], [`${counted(found[1], "more character")} not shown here`], found[1]];
}

/**
 * Every message of a call's request, also those that an earlier call has shown.
 * @param {(string | Call)[]} calls
 * @param {Call} call
 * @returns {Said[]}
 */
function requestOf(calls, call) {
  const earlier = calls.find((one) => typeof one !== "string" && one.number === call.continues);
  const before = earlier && typeof earlier !== "string" && earlier !== call ? requestOf(calls, earlier) : [];
  /** @type {Said[]} */
  const found = [];
  let room = call.shared;
  for (const one of before) {
    if (room <= 0) { break; }
    found.push(typeof one === "number" ? Math.min(one, room) : one);
    room -= typeof one === "number" ? one : 1;
  }
  if (room > 0) { found.push(room); }
  return [...found, ...call.messages, ...(call.hidden ? [call.hidden] : []), ...call.between, ...call.tail];
}

/**
 * The request of the candidate's last call.
 * @param {SampleBody} body
 * @returns {Said[]}
 */
function conversationOf(body) {
  const solving = body.calls.flatMap((one) => (typeof one !== "string" && one.stage === "solve" ? [one] : []));
  const own = solving.filter((one) => /^candidate(\/|$)/.test(one.role));
  const last = (own.length ? own : solving).at(-1);
  if (!last) { return []; }
  const found = requestOf(body.calls, last);
  if (last.prompt >= 0) { found.push(["prompt", last.prompt]); }
  return found;
}

/**
 * Messages; of a long history the middle is folded.
 * @param {Said[]} said
 * @param {CutText[]} texts
 * @param {Child[][]} [marked] their texts, marked
 * @returns {Child[]}
 */
function drawMessages(said, texts, marked) {
  /** @type {(one: Said, place: number) => HTMLElement} */
  const draw = (one, place) => {
    if (typeof one === "number") { return make("p", { class: "sv-note" }, `${counted(one, "message")} not shown here.`); }
    const [text, notes, left] = textAt(texts, one[1]);
    return message(one[0], text, notes, one[2] ?? [], marked?.[place], left);
  };
  if (said.length <= MOST_OPEN) { return said.map(draw); }
  const middle = said.slice(2, -3);
  return [...said.slice(0, 2).map(draw),
    fold([`${counted(middle.length, "message")} between`], () => middle.map((one, i) => draw(one, i + 2))),
    ...said.slice(-3).map((one, i) => draw(one, said.length - 3 + i))];
}

/**
 * Messages of which the last is open: it is what both answered.
 * @param {Said[]} said
 * @param {CutText[]} texts
 * @returns {Child[]}
 */
function lastOpen(said, texts) {
  const before = said.slice(0, -1);
  return [before.length > 0 && fold([`${counted(before.length, "message")} before`], () => drawMessages(before, texts)),
    ...drawMessages(said.slice(-1), texts)];
}

/**
 * @param {Call} call
 * @returns {string}
 */
function callFacts(call) {
  const [prompt, reply] = call.tokens;
  return [call.kind, call.model, prompt || reply ? `${numberText(prompt)} + ${numberText(reply)} tokens` : "",
    secondsText(call.seconds), call.finish && call.finish !== "stop" ? call.finish : "", call.cached ? "from the cache" : "",
    call.attempt > 1 ? `attempt ${call.attempt}` : ""].filter(Boolean).join(" · ");
}

/**
 * What a call replied: reasoning folded, text, tool calls, other facts.
 * @param {Call} call
 * @param {CutText[]} texts
 * @param {boolean} [plain] without the name of who speaks
 * @returns {Child[]}
 */
function drawReply(call, texts, plain = false) {
  const [text, notes, left] = textAt(texts, call.reply);
  const [reasoning, more, unread] = textAt(texts, call.reasoning);
  const said = Boolean(text || call.tool_calls.length || !call.facts.length);
  return [
    reasoning && fold([`Reasoning (${counted(reasoning.length, "character")})`], () => [message("reasoning", reasoning, more, [], undefined, unread)]),
    plain && text ? make("div", {}, passage([text], text, "", left), ...notes.map((note) => make("p", { class: "sv-note" }, note)), ...call.tool_calls.map(toolCall)) :
      said && message("assistant", text, notes, call.tool_calls, undefined, left),
    facts(call.facts),
  ];
}

/**
 * What a call asked.
 * @param {Call} call
 * @param {CutText[]} texts
 * @returns {Child[]}
 */
function drawRequest(call, texts) {
  const shown = [...call.messages, ...(call.hidden ? [call.hidden] : []), ...call.between, ...call.tail];
  const prompt = call.prompt >= 0 ? [/** @type {Message} */ (["prompt", call.prompt])] : [];
  const given = call.texts.map((place) => /** @type {Message} */ (["text", place]));
  return [
    call.shared > 0 && make("p", { class: "sv-note" },
      `The first ${counted(call.shared, "message is", "messages are")} those of call ${call.continues}.`),
    ...drawMessages([...shown, ...prompt], texts),
    ...drawMessages(given, texts),
    call.more_texts > 0 && make("p", { class: "sv-note" }, `${counted(call.more_texts, "more text")} not shown here.`),
  ];
}

/**
 * One call, folded; a sentence for one that is missing.
 * @param {string | Call} call
 * @param {CutText[]} texts
 * @returns {HTMLElement}
 */
function drawCall(call, texts) {
  if (typeof call === "string") { return make("p", { class: "sv-failed", dir: "auto" }, call); }
  /** @type {[string, Child][]} */
  const about = [];
  if (call.options) { about.push(["options", call.options]); }
  if (call.tools.length) { about.push(["tools", call.tools.join(", ")]); }
  if (call.key) { about.push(["key", call.key]); }
  return fold([
    make("span", { class: "sv-who" }, `${call.number}. `, words(call.role), ` · ${call.stage}`),
    words(callFacts(call), "sv-aside"),
  ], () => [...drawRequest(call, texts), make("div", { class: "sv-reply" }, ...drawReply(call, texts)), facts(about)], "sv-fold sv-call");
}

/**
 * What tells requests apart: of each the sentence in which it leaves the one it is most like; "" where all are one.
 * One that goes on from an earlier one, such as a second try, is told by that one.
 * @param {string[][]} requests the messages of each
 * @returns {string[]}
 */
function askedApart(requests) {
  const roots = requests.map((own, i) => {
    const first = requests.findIndex((other) => other.length > 0 && other.length <= own.length && other.every((text, at) => text === own[at]));
    return first < 0 ? i : first;
  });
  const all = requests.map((one) => one.join("\n"));
  return requests.map((_, i) => {
    const [root, text] = [roots[i], all[roots[i]]];
    const others = [...new Set(roots)].filter((one) => one !== root).map((one) => all[one]);
    const sentence = others.length ? sentenceAt(text, Math.max(...others.map((other) => sharedLength(text, other)))) : "";
    return sentence && root !== i ? `${sentence} (asked again)` : sentence;
  });
}

/**
 * @param {string} a
 * @param {string} b
 * @returns {number} of characters with which both begin
 */
function sharedLength(a, b) {
  let at = 0;
  while (at < a.length && a[at] === b[at]) { at += 1; }
  return at;
}

const MOST_SENTENCE = 160;

/**
 * The sentence around a place of a text, cut on both sides if it is long.
 * @param {string} text
 * @param {number} at
 * @returns {string}
 */
function sentenceAt(text, at) {
  const before = text.slice(Math.max(at - MOST_SENTENCE, 0), at);
  const last = [...before.matchAll(/[.!?]\s|\n/g)].at(-1);
  const beginning = last ? before.slice(last.index + last[0].length) : at > MOST_SENTENCE ? before.replace(/^\S*/, "…") : before;
  const after = text.slice(at, at + MOST_SENTENCE);
  const end = after.search(/[.!?](?=\s|$)|\n/) + 1;
  const ending = end ? after.slice(0, end) : text.length > at + MOST_SENTENCE ? after.replace(/\S*$/, "…") : after;
  return (beginning + ending).trim();
}

/**
 * The calls of scoring as verdicts: what each judge said, its reasoning and what it was asked folded.
 * @param {SampleBody} body
 * @param {CutText[]} texts
 * @returns {HTMLElement[]}
 */
function drawVerdicts(body, texts) {
  const judged = body.calls.flatMap((one) => (typeof one !== "string" && one.stage === "score" ? [one] : []));
  const asked = askedApart(judged.map((call) => {
    const places = [...requestOf(body.calls, call).map((one) => (typeof one === "number" ? -1 : one[1])), call.prompt, ...call.texts];
    return places.filter((place) => place >= 0).map((place) => textAt(texts, place)[0]);
  }));
  const drawn = judged.map((call, i) => make("div", { class: "sv-verdict" },
    make("div", { class: "sv-who" }, words(call.role), call.key && words(call.key, "sv-aside"), words(call.model, "sv-aside"),
      make("span", { class: "sv-aside" }, `call ${call.number}`)),
    asked[i] && make("p", { class: "sv-asked" }, "Asked: ", words(asked[i])),
    ...drawReply(call, texts, true),
    fold(["What it was asked"], () => drawRequest(call, texts))));
  return drawn.length <= MOST_OPEN ? drawn : [...drawn.slice(0, MOST_OPEN - 1),
    fold([counted(drawn.length - MOST_OPEN + 1, "more verdict")], () => drawn.slice(MOST_OPEN - 1))];
}
