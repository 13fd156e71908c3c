// Suggestions above the message field: a listbox that the field's keys move in (ARIA combobox pattern).

import { el } from "./dom.js";

/** @import { Suggestion } from "./frames.js" */

export class Palette {
  /** @type {Suggestion[]} */ #choices = [];
  #active = -1;
  #chosen = false;

  /**
   * @param {{field: HTMLTextAreaElement, box: HTMLElement, list: HTMLElement, spoken: HTMLElement}} places
   * @param {(choice: Suggestion) => void} take
   */
  constructor(places, take) {
    this.places = places;
    this.take = take;
    // The field keeps the focus: a press on the list must not blur it.
    for (const name of ["pointerdown", "mousedown"]) {
      places.box.addEventListener(name, (event) => event.preventDefault());
    }
  }

  get open() {
    return !this.places.box.hidden;
  }

  /** The choice that Tab takes. */
  get first() {
    return this.#choices[Math.max(0, this.#active)];
  }

  /** The choice that the person moved to. */
  get chosen() {
    return this.#chosen ? this.#choices[this.#active] : undefined;
  }

  /**
   * @param {Suggestion[]} choices
   * @param {boolean} proposing mark the first choice as the one that Enter takes
   */
  show(choices, proposing) {
    const { box, list, field, spoken } = this.places;
    if (!choices.length) {
      this.close();
      return;
    }
    this.#choices = choices;
    list.replaceChildren(
      ...choices.map((choice, index) => {
        const option = el(
          "li",
          { role: "option", id: `suggestion-${index}`, "aria-selected": "false" },
          el("span", { class: "label" }, choice.label),
          choice.detail && el("span", { class: "detail" }, choice.detail),
        );
        option.addEventListener("click", () => this.take(choice));
        return option;
      }),
    );
    if (box.hidden) spoken.textContent = `${choices.length} suggestions`;
    box.hidden = false;
    field.setAttribute("aria-expanded", "true");
    list.scrollTop = 0;
    this.#mark(proposing ? 0 : -1);
    this.#chosen = false;
  }

  /**
   * Leave the choices that still fit; the first of them is proposed.
   * @param {(choice: Suggestion) => boolean} fits
   */
  narrow(fits) {
    this.show(this.#choices.filter(fits), true);
  }

  close() {
    const { box, field } = this.places;
    box.hidden = true;
    this.#choices = [];
    this.#chosen = false;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  /** @param {1 | -1} step */
  move(step) {
    const count = this.#choices.length;
    if (this.#active === -1) this.#mark(step === 1 ? 0 : count - 1);
    else this.#mark((this.#active + step + count) % count);
    this.#chosen = true;
  }

  /** @param {number} index */
  #mark(index) {
    const { list, field } = this.places;
    this.#active = index;
    for (const [number, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(number === index));
      if (number === index) option.scrollIntoView({ block: "nearest" });
    }
    if (index === -1) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `suggestion-${index}`);
  }
}
