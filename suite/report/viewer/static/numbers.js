/* Numbers and values as people read them; the same format as in the rest of the reports. */
"use strict";

const DASH = "–";

/**
 * Three decimals below 10, three significant digits above, all of a whole number.
 * @param {number} value
 * @param {boolean} [decimals] of a whole number, too: it stands beside others that have some
 * @returns {string}
 */
function numberText(value, decimals = false) {
  if (!Number.isFinite(value)) { return DASH; }
  if (Number.isInteger(value) && !decimals) { return value.toLocaleString("en"); }
  const digits = decimalsOf(value);
  return roundedAsPython(value, digits).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} value no whole number */
function decimalsOf(value) {
  const size = Math.abs(value);
  return size < 10 ? 3 : size < 100 ? 1 : 0;
}

/**
 * The number that is read where a value is shown.
 * @param {number} value
 * @returns {number}
 */
function asShown(value) {
  return Number.isInteger(value) || !Number.isFinite(value) ? value : roundedAsPython(value, decimalsOf(value));
}

/**
 * Rounded by the exact number, a half to the even digit.
 * @param {number} value
 * @param {number} digits
 * @returns {number}
 */
function roundedAsPython(value, digits) {
  const half = Math.abs(value * 2 ** (digits + 1)) % 2 === 1;  // exact: by a power of two
  if (!half) { return Number(value.toFixed(digits)); }
  const below = Math.floor(value * 10 ** digits);
  return (below + Math.abs(below % 2)) / 10 ** digits;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 * @returns {string}
 */
function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/**
 * @param {number} seconds
 * @returns {string}
 */
function secondsText(seconds) {
  return seconds ? `${seconds.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 2 })} s` : "";
}

/**
 * A value of a score, a fact or a cell of a table.
 * @param {unknown} value
 * @param {boolean} [decimals] see `numberText`
 * @returns {string}
 */
function valueText(value, decimals = false) {
  if (value === null || value === undefined) { return DASH; }
  if (typeof value === "boolean") { return value ? "yes" : "no"; }
  if (typeof value === "number") { return numberText(value, decimals); }
  if (typeof value === "string") { return value; }
  if (typeof value === "object" && "u" in value) { return `unscored: ${value.u}`; }
  return JSON.stringify(value);
}
