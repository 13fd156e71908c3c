// The message field: sends lines, completes commands, and finds earlier lines again.

import { Palette } from "./palette.js";

/** @import { Suggestion, Suggestions } from "./frames.js" */

const TYPING_PAUSE_MS = 60;
const TALLEST_PX = 160;

/**
 * @typedef {object} Wishes
 * @property {(text: string) => void} send
 * @property {(request: number, line: string) => void} complete
 * @property {() => string[]} earlier the lines said before, oldest first
 */

export class Composer {
  #request = 0;
  #pause = 0;
  #dismissed = "";
  #suggestedFor = "";
  #takesNext = false;
  /** @type {number | null} */ #recalled = null;

  /**
   * @param {{form: HTMLFormElement, field: HTMLTextAreaElement, box: HTMLElement, list: HTMLElement,
   *   spoken: HTMLElement}} places
   * @param {Wishes} wishes
   */
  constructor(places, wishes) {
    this.places = places;
    this.wishes = wishes;
    this.palette = new Palette(places, (choice) => this.#take(choice));
    places.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    places.field.addEventListener("input", () => this.#changed());
    places.field.addEventListener("keydown", (event) => this.#key(event));
    places.field.addEventListener("blur", () => this.palette.close());
    places.field.addEventListener("focus", () => this.#ask());
  }

  /** @param {Suggestions} answer */
  suggest(answer) {
    const { field } = this.places;
    // Only the newest question counts, and only while the line still is what was asked about.
    if (answer.request !== this.#request || answer.line !== field.value || document.activeElement !== field) return;
    const choices = answer.suggestions.filter((choice) => completed(field.value, choice.value) !== field.value);
    const complete = answer.suggestions.some((choice) => choice.value.trim() === field.value);
    const taking = this.#takesNext && choices[0];
    this.#takesNext = false;
    this.#suggestedFor = field.value;
    this.palette.show(complete ? [] : choices, naming(field.value));
    if (taking) this.#take(taking);
  }

  /**
   * Put the beginning of a line into the field, to be gone on with.
   * @param {string} line
   */
  begin(line) {
    this.#fill(line);
    this.places.field.focus();
    this.#changed();
  }

  #changed() {
    const line = this.places.field.value;
    this.#recalled = null;
    this.#dismissed = "";
    this.#takesNext = false;
    // Keys must never take what belongs to an earlier line, however fast they are typed.
    if (this.palette.open && naming(line)) {
      this.palette.narrow((choice) => choice.value.startsWith(line) && choice.value.trim() !== line);
      this.#suggestedFor = line;
    }
    this.#grow();
    this.#ask();
  }

  #ask() {
    const line = this.places.field.value;
    clearTimeout(this.#pause);
    this.#request += 1;
    if (!line.startsWith("/") || line.includes("\n") || line.length > 300 || line === this.#dismissed) {
      this.palette.close();
      return;
    }
    const request = this.#request;
    this.#pause = setTimeout(() => this.wishes.complete(request, line), TYPING_PAUSE_MS);
  }

  #grow() {
    const { field } = this.places;
    field.style.height = "auto";
    field.style.height = `${Math.min(TALLEST_PX, field.scrollHeight)}px`;
    field.classList.toggle("tall", field.scrollHeight > TALLEST_PX);
  }

  /** @param {string} line */
  #fill(line) {
    const { field } = this.places;
    field.value = line;
    field.setSelectionRange(line.length, line.length);
    this.#grow();
  }

  /** @param {Suggestion} choice */
  #take(choice) {
    this.palette.close();
    this.#fill(completed(this.places.field.value, choice.value));
    this.places.field.focus();
    this.#changed();
  }

  #submit() {
    const text = this.places.field.value.trim();
    if (!text) return;
    this.#request += 1;
    clearTimeout(this.#pause);
    this.palette.close();
    this.#fill("");
    this.#recalled = null;
    this.wishes.send(text);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.palette.open && this.#paletteKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && this.#recall(event.key === "ArrowUp" ? 1 : -1)) {
      event.preventDefault();
    }
  }

  /** @param {KeyboardEvent} event */
  #paletteKey(event) {
    const { palette } = this;
    const line = this.places.field.value;
    const fresh = line === this.#suggestedFor;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      palette.move(event.key === "ArrowDown" ? 1 : -1);
      return true;
    }
    if (event.key === "Escape") {
      this.#dismissed = line;
      palette.close();
      return true;
    }
    if (event.key === "Tab" && !event.shiftKey && palette.first) {
      if (fresh) this.#take(palette.first);
      else this.#takesNext = true;
      return true;
    }
    if (event.key === "Enter" && !event.shiftKey && fresh) {
      const choice = palette.chosen ?? (naming(line) ? palette.first : undefined);
      if (choice) this.#take(choice);
      return choice !== undefined;
    }
    return false;
  }

  /**
   * Bring an earlier line back; the field must be empty, or hold one that was brought back.
   * @param {1 | -1} step
   */
  #recall(step) {
    const { field } = this.places;
    if (field.value !== "" && this.#recalled === null) return false;
    const earlier = this.wishes.earlier();
    const at = (this.#recalled ?? 0) + step;
    if (at < 0 || at > earlier.length || (at === 0 && this.#recalled === null)) return false;
    this.#recalled = at === 0 ? null : at;
    const line = at === 0 ? "" : (earlier[earlier.length - at] ?? "");
    this.#fill(line);
    this.#dismissed = line;
    this.palette.close();
    return true;
  }
}

/**
 * Whether a line is still the name of a command being typed.
 * @param {string} line
 */
function naming(line) {
  return /^\/\S*$/.test(line);
}

/**
 * The line after a suggestion is taken. A value that is a whole line replaces it; any other replaces the words at
 * the line's end that it completes, or else the last word.
 * @param {string} line
 * @param {string} value
 */
export function completed(line, value) {
  let start = line.length - (/\S*$/.exec(line)?.[0].length ?? 0);
  for (const { index } of line.matchAll(/(?<=\s)\S/g)) {
    if (value.toLowerCase().startsWith(line.slice(index).toLowerCase())) {
      start = index;
      break;
    }
  }
  const whole = value.startsWith("/") ? value : line.slice(0, start) + value;
  return /[\s:]$/.test(whole) ? whole : `${whole} `;
}
