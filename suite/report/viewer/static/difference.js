/* Which words of two texts are not in the other: the longest common sequence of words. */
"use strict";

const MOST_WORDS = 1200;
const LEAST_SHARED = 0.3;  // of the shorter text; below it everything would be marked

/**
 * Both texts with the words of their own marked; as they are if they are too long or have little in common.
 * @param {string} left
 * @param {string} right
 * @returns {[Child[], Child[]]}
 */
function difference(left, right) {
  const [a, b] = [left, right].map((text) => text.match(/\s+|\S+/g) ?? []);
  const [x, y] = [a, b].map((tokens) => tokens.flatMap((token, i) => (/\S/.test(token) ? [i] : [])));
  if (left === right || Math.max(x.length, y.length) > MOST_WORDS) { return [[left], [right]]; }
  const width = y.length + 1;
  const longest = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i -= 1) {
    for (let j = y.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] = a[x[i]] === b[y[j]] ? longest[(i + 1) * width + j + 1] + 1 :
        Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  if (longest[0] < LEAST_SHARED * Math.min(x.length, y.length)) { return [[left], [right]]; }
  const [onlyLeft, onlyRight] = [new Set(x), new Set(y)];
  for (let i = 0, j = 0; i < x.length && j < y.length;) {
    if (a[x[i]] === b[y[j]]) {
      onlyLeft.delete(x[i]);
      onlyRight.delete(y[j]);
      i += 1;
      j += 1;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) { i += 1; } else { j += 1; }
  }
  return [marked(a, onlyLeft), marked(b, onlyRight)];
}

/**
 * Tokens as text, neighbours that are marked as one mark.
 * @param {string[]} tokens
 * @param {Set<number>} only
 * @returns {Child[]}
 */
function marked(tokens, only) {
  /** @type {Child[]} */
  const found = [];
  let [text, mark] = ["", false];
  const flush = () => { if (text) { found.push(mark ? make("mark", { class: "sv-only" }, text) : text); } };
  tokens.forEach((token, i) => {
    const own = only.has(i) || (mark && !/\S/.test(token) && only.has(i + 1));
    if (own !== mark) { flush(); [text, mark] = ["", own]; }
    text += token;
  });
  flush();
  return found;
}
