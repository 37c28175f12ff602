/* Elements of the page. Text from data only ever becomes text nodes. */
"use strict";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element. `class` and names that are no property become attributes; `on…` listens.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{[name: string]: unknown}} [given]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) { continue; }
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  put(made, children);
  return made;
}

/**
 * @param {number} level
 * @param {{[name: string]: unknown}} given
 * @param {...Child} children
 * @returns {HTMLHeadingElement}
 */
function heading(level, given, ...children) {
  return make(/** @type {"h6"} */ (`h${Math.min(level, 6)}`), given, ...children);
}

/**
 * Append what there is of the children.
 * @param {Element | DocumentFragment} into
 * @param {Iterable<Child>} children
 */
function put(into, children) {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false && child !== "") { into.append(child); }
  }
}

/**
 * Empty an element and fill it anew.
 * @param {Element} into
 * @param {...Child} children
 */
function refill(into, ...children) {
  into.replaceChildren();
  put(into, children);
}

/**
 * Somebody's words on one line or a few, in their own direction.
 * @param {string} text
 * @param {string} [style]
 * @returns {HTMLElement}
 */
function words(text, style = "") {
  return make("bdi", { class: style || null, dir: "auto" }, text);
}

/**
 * @param {string} label
 * @param {() => void} act
 * @param {{[name: string]: unknown}} [given]
 * @returns {HTMLButtonElement}
 */
function button(label, act, given = {}) {
  return make("button", { type: "button", class: "sv-button", onclick: act, ...given }, label);
}

/**
 * Something folded; what is in it is made when it is first opened.
 * @param {Child[]} summary
 * @param {() => Child[]} inside
 * @param {string} [style]
 * @returns {HTMLDetailsElement}
 */
function fold(summary, inside, style = "sv-fold") {
  const made = make("details", { class: style }, make("summary", {}, ...summary));
  made.addEventListener("toggle", () => {
    if (made.open && made.childElementCount === 1) { put(made, inside()); }
  });
  return made;
}

/** Sees to it that what can be scrolled sideways, and only that, is reached by Tab. */
const scrolled = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth + 1) { target.setAttribute("tabindex", "0"); } else { target.removeAttribute("tabindex"); }
  }
});

/**
 * Something that may be wider than its place.
 * @param {string} label
 * @param {Child} inside
 * @returns {HTMLElement}
 */
function wide(label, inside) {
  const made = make("div", { class: "sv-wide", role: "group", "aria-label": label }, inside);
  scrolled.observe(made);
  return made;
}

const LONG_TEXT = 1600;
const LONG_LINES = 24;

/** How Python ends a text that it cut and that says so itself. */
const LEFT_OUT = /\n… ([\d,]+) characters more$/;

/**
 * How many characters a text says are left out of it.
 * @param {string} text
 * @returns {number}
 */
function leftOut(text) {
  return Number(LEFT_OUT.exec(text)?.[1].replaceAll(",", "") ?? 0);
}

/**
 * A text that somebody or some model wrote: a long one is clipped until it is asked for.
 * @param {Child[]} content
 * @param {string} text what is said, for its length
 * @param {string} [style]
 * @param {number} [left] characters that this page does not have
 * @returns {DocumentFragment}
 */
function passage(content, text, style = "", left = leftOut(text)) {
  const made = document.createDocumentFragment();
  const box = make("div", { class: `sv-text ${style}`, dir: "auto" }, ...content);
  made.append(box);
  if (text.length > LONG_TEXT || text.split("\n", LONG_LINES + 1).length > LONG_LINES) {
    box.classList.add("sv-clipped");
    const length = text.length - (left ? text.match(LEFT_OUT)?.[0].length ?? 0 : 0);
    const all = left ? `Show the first ${length.toLocaleString("en")} of ${counted(length + left, "character")}` : `Show all ${counted(length, "character")}`;
    const more = button(all, () => {
      const clipped = box.classList.toggle("sv-clipped");
      more.textContent = clipped ? all : "Show less";
      more.setAttribute("aria-expanded", String(!clipped));
    }, { class: "sv-more", "aria-expanded": "false" });
    made.append(more);
  }
  return made;
}

/**
 * A list of names and values.
 * @param {[string, Child][]} pairs
 * @param {string} [style]
 * @returns {HTMLElement | null}
 */
function facts(pairs, style = "sv-facts") {
  if (!pairs.length) { return null; }
  const made = make("dl", { class: style });
  for (const [name, value] of pairs) {
    made.append(make("dt", { dir: "auto" }, name), make("dd", { dir: "auto" }, value));
  }
  return made;
}
