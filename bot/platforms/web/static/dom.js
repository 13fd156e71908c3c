// Building elements. Whatever comes from people or from the bot becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Path data on a 24 by 24 grid. */
const PATHS = {
  play: "M8 5.2v13.6a.9.9 0 0 0 1.37.77l10.9-6.8a.9.9 0 0 0 0-1.54l-10.9-6.8A.9.9 0 0 0 8 5.2z",
  pause: "M7 5h3.2v14H7zM13.8 5H17v14h-3.2z",
  download: "M11 4h2v8.2l3-3 1.4 1.4L12 16l-5.4-5.4L8 9.2l3 3zM5 18h14v2H5z",
  heart:
    "M12 20.4l-1.3-1.2C6 15 3 12.3 3 8.9 3 6.2 5.1 4.1 7.8 4.1c1.6 0 3.2.8 4.2 2 1-1.2 2.6-2 4.2-2 2.7 0 4.8 2.1 4.8 " +
    "4.8 0 3.4-3 6.1-7.7 10.3z",
  send: "M4 20.2l17-8.2L4 3.8v6.4L15 12 4 13.8z",
  lock: "M7 10V8a5 5 0 0 1 10 0v2h1.5v10.5h-13V10zm2 0h6V8a3 3 0 0 0-6 0z",
  close: "M6.4 5L12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4L12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z",
  down: "M12 16.5l-7-7 1.4-1.4 5.6 5.6 5.6-5.6L19 9.5z",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * An element with attributes (true: present, false and null: absent) and children.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number | boolean | null>} [attributes]
 * @param {...(Node | string | null | false | (Node | string)[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null) element.setAttribute(key, String(value));
  }
  for (const child of children.flat()) if (child) element.append(child);
  return element;
}

/**
 * A small picture that says nothing by itself.
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const picture = drawing("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  picture.append(drawing("path", { d: PATHS[name] }));
  return picture;
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[Name]}
 */
export function drawing(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/**
 * An element of the page that must be there.
 * @template {Element} Kind
 * @param {string} id
 * @param {{new (): Kind}} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page lacks #${id}`);
  return element;
}

const COMMAND = /(?<=^|[\s(])(\/[a-z]{2,20})(?![\w/])/;

/**
 * A text in which every command named can be pressed; that begins it in the message field, and sends nothing.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function withCommands(text) {
  return text.split(COMMAND).map((part, index) => {
    if (index % 2 === 0) return part;
    const mention = el("button", { type: "button", class: "mention" }, part);
    mention.addEventListener("click", () => {
      mention.dispatchEvent(new CustomEvent("begin-command", { bubbles: true, detail: part }));
    });
    return mention;
  });
}

/**
 * Minutes and seconds, such as 1:05.
 * @param {number} seconds
 */
export function clockTime(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : 0;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * The same in words, for who listens to the page.
 * @param {number} seconds
 */
export function spokenTime(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : 0;
  const minutes = Math.floor(whole / 60);
  const rest = `${whole % 60} second${whole % 60 === 1 ? "" : "s"}`;
  return minutes ? `${minutes} minute${minutes === 1 ? "" : "s"} ${rest}` : rest;
}
