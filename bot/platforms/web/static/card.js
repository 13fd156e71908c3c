// A titled sheet: what a raga is, or what was made in it.

import { el, withCommands } from "./dom.js";
import { scalePicture } from "./scale.js";

/** @import { Card, Field } from "./frames.js" */

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
  if (scales.length) sheet.append(el("div", { class: "scales" }, list("ways", scales), picture(card)));
  if (card.description) sheet.append(el("p", { class: "description" }, withCommands(card.description)));
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
function picture(card) {
  /** @param {RegExp} name */
  const value = (name) => card.fields.find((field) => name.test(plain(field.name)))?.value ?? "";
  return scalePicture(value(/^aroha/), value(/^avaroha/), [value(/^vadi/), value(/^samvadi/)]);
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
