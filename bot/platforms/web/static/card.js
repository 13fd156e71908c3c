// A titled sheet: what a raga is, or what was made in it.

import { el, withCommands } from "./dom.js";
import { scalePicture } from "./scale.js";

/** @import { Card, CardPicture, Field } from "./frames.js" */

const SCALES = /^(aroha|avaroha|pakad|scale)/;

/**
 * @param {Card} card
 * @returns {HTMLElement}
 */
export function cardView(card) {
  const sheet = el("section", { class: "sheet", "data-testid": "card" });
  sheet.append(
    el("header", {}, el("h2", {}, card.title), card.subtitle && el("p", { class: "subtitle" }, card.subtitle)),
  );
  const scales = card.fields.filter((field) => SCALES.test(plain(field.name)));
  const others = card.fields.filter((field) => !SCALES.test(plain(field.name)));
  const ways = scales.length > 0 && el("div", { class: "scales" }, list("ways", scales));
  const description = card.description && el("p", { class: "description" }, withCommands(card.description));
  /** Where there is no picture, the scale is drawn as a line. */
  const without = () => {
    if (ways) ways.append(line(card) ?? "");
  };
  if (card.picture) {
    sheet.append(el("div", { class: "illustrated" }, ways, wheel(card.picture, without), description));
  } else {
    without();
    sheet.append(ways || "", description || "");
  }
  if (others.length) sheet.append(list("facts", others));
  if (card.footer) sheet.append(el("p", { class: "footer" }, withCommands(card.footer)));
  return sheet;
}

/**
 * A name without its diacritics.
 * @param {string} name
 */
function plain(name) {
  return name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {Card} card */
function line(card) {
  /** @param {RegExp} name */
  const value = (name) => card.fields.find((field) => name.test(plain(field.name)))?.value ?? "";
  return scalePicture(value(/^aroha/), value(/^avaroha/), [value(/^vadi/), value(/^samvadi/)]);
}

/**
 * The picture of a card: its room is kept while it loads, and given up if it does not.
 * @param {CardPicture} picture
 * @param {() => void} without
 * @returns {HTMLElement}
 */
function wheel(picture, without) {
  const { width, height } = picture;
  const image = el("img", { width, height, alt: picture.alt, loading: "lazy", decoding: "async" });
  const dark = el("source", { media: "(prefers-color-scheme: dark)", srcset: picture.dark, width, height });
  const box = el("picture", { class: "wheel", "data-testid": "picture" }, dark, image);
  image.addEventListener("error", () => {
    box.parentElement?.classList.remove("illustrated");
    box.remove();
    without();
  });
  // It begins to load when it has an address: by then it is lazy, and knows the other theme.
  image.src = picture.light;
  return box;
}

/**
 * @param {string} kind
 * @param {Field[]} fields
 */
function list(kind, fields) {
  return el(
    "dl",
    { class: kind },
    ...fields.map((field) => el("div", {}, el("dt", {}, withCommands(field.name)), el("dd", {}, withCommands(field.value)))),
  );
}
