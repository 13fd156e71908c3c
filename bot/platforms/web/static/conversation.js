// The conversation: which messages there are, in which order, and where the page stands in it.

import { ReplyView, saidView } from "./message.js";

/** @import { Message } from "./frames.js" */
/** @import { PressButton } from "./message.js" */

const MOST_MESSAGES = 300;
const NEAR_PX = 96;
const HEADROOM_PX = 14;

/**
 * @typedef {{message: Message, element: HTMLElement, view: ReplyView | null}} Shown
 */

export class Conversation {
  /** @type {Map<string, Shown>} */ #shown = new Map();
  /** @type {Shown[]} by place */ #order = [];
  /** @type {Map<string, HTMLElement>} */ #local = new Map();
  epoch = "";
  seq = 0;
  #follows = true;
  #top = 0;

  /**
   * @param {{log: HTMLElement, scroller: HTMLElement, content: HTMLElement, newest: HTMLButtonElement}} places
   * @param {PressButton} press
   */
  constructor(places, press) {
    this.places = places;
    this.press = press;
    places.scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    places.newest.addEventListener("click", () => this.toEnd(true));
    const resized = new ResizeObserver(() => {
      if (this.#follows) this.toEnd();
    });
    resized.observe(places.content);
    resized.observe(places.scroller);
  }

  /** The lines that the person said, oldest first. */
  get lines() {
    return this.#order.flatMap(({ message }) => (message.by === "person" && message.text ? [message.text] : []));
  }

  get empty() {
    return this.#shown.size === 0 && this.#local.size === 0;
  }

  /**
   * Show a line at once, before the bot has it.
   * @param {string} ask
   * @param {string} text
   */
  say(ask, text) {
    const element = saidView(text, ask);
    element.classList.add("sending");
    this.#local.set(ask, element);
    this.places.log.append(element);
    this.toEnd();
  }

  /**
   * A line that was not taken; it stays, and can be sent again.
   * @param {string} ask
   * @param {HTMLElement} again
   */
  notTaken(ask, again) {
    const element = this.#local.get(ask);
    element?.classList.replace("sending", "failed");
    element?.append(again);
  }

  /** @param {string} ask */
  withdraw(ask) {
    this.#local.get(ask)?.remove();
    this.#local.delete(ask);
  }

  /**
   * Take over what the bot says has changed; returns the messages that are new in what they show.
   * @param {{epoch: string, seq: number, messages: Message[]}} changes
   * @param {{reset?: boolean}} [options]
   */
  take(changes, { reset = false } = {}) {
    const log = this.places.log;
    if (reset) {
      log.setAttribute("aria-busy", "true");
      const still = new Set(changes.messages.map((message) => message.id));
      for (const shown of [...this.#order]) if (!still.has(shown.message.id)) this.#remove(shown);
      if (this.epoch !== changes.epoch) for (const shown of this.#order) shown.message.seq = -1;
      this.seq = 0;
    }
    this.epoch = changes.epoch;
    this.seq = Math.max(this.seq, changes.seq);
    /** @type {Message[]} */
    const fresh = [];
    for (const message of changes.messages) if (this.#put(message)) fresh.push(message);
    this.#trim();
    if (reset) requestAnimationFrame(() => log.setAttribute("aria-busy", "false"));
    if (this.#follows) this.toEnd();
    return fresh;
  }

  /**
   * Bring a message into view.
   * @param {string} id
   */
  reveal(id) {
    this.#shown.get(id)?.element.scrollIntoView({ block: "center", behavior: motion() });
  }

  /**
   * Whether a message can be seen now.
   * @param {string} id
   */
  inView(id) {
    const box = this.#shown.get(id)?.element.getBoundingClientRect();
    const frame = this.places.scroller.getBoundingClientRect();
    return box !== undefined && box.top < frame.bottom - 40 && box.bottom > frame.top + 40;
  }

  /** @param {boolean} [smooth] */
  toEnd(smooth = false) {
    this.#follows = true;
    const scroller = this.places.scroller;
    scroller.scrollTo({ top: this.#end(), behavior: smooth ? motion() : "instant" });
    this.places.newest.hidden = true;
  }

  /** Where the newest message is in view: its end, or its beginning with the question if it is taller than the page. */
  #end() {
    const { scroller, log } = this.places;
    const bottom = scroller.scrollHeight - scroller.clientHeight;
    let first = log.lastElementChild;
    if (first?.classList.contains("bot") && first.previousElementSibling?.classList.contains("person")) {
      first = first.previousElementSibling;
    }
    if (!first) return 0;
    const top = first.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    return Math.max(0, Math.min(bottom, top - HEADROOM_PX));
  }

  #noteScroll() {
    const { scrollTop } = this.places.scroller;
    const near = scrollTop > this.#end() - NEAR_PX;
    // Only who scrolls up wants to stay there: content that has just grown is no such wish.
    if (near) this.#follows = true;
    else if (scrollTop < this.#top - 1) this.#follows = false;
    this.#top = scrollTop;
    this.places.newest.hidden = this.#follows;
  }

  /** @param {Message} message */
  #put(message) {
    const known = this.#shown.get(message.id);
    if (known && known.message.seq >= message.seq) return false;
    if (message.state === "void") {
      if (known) this.#remove(known);
      return false;
    }
    if (known) {
      known.message = message;
      known.view?.show(message);
      return true;
    }
    const view = message.by === "bot" ? new ReplyView(message.id, this.press) : null;
    view?.show(message);
    const element = view ? view.element : saidView(message.text ?? "", message.ask);
    this.#place({ message, element, view });
    return true;
  }

  /** @param {Shown} shown */
  #place(shown) {
    const { message, element } = shown;
    this.#shown.set(message.id, shown);
    // Almost always the new message is the last one.
    let at = this.#order.length;
    while (at > 0 && (this.#order[at - 1]?.message.place ?? 0) > message.place) at -= 1;
    const next = this.#order[at]?.element;
    this.#order.splice(at, 0, shown);
    this.#label(at);
    this.#label(at + 1);

    const local = message.by === "person" && message.ask ? this.#local.get(message.ask) : undefined;
    if (local && message.ask) {
      local.replaceWith(element);
      this.#local.delete(message.ask);
      return;
    }
    // What the bot does not have yet stays below everything.
    this.places.log.insertBefore(element, next ?? this.#local.values().next().value ?? null);
  }

  /**
   * The first message of a day says which.
   * @param {number} at
   */
  #label(at) {
    const shown = this.#order[at];
    if (!shown) return;
    const day = new Date(shown.message.at_ms).toDateString();
    const before = this.#order[at - 1];
    const today = new Date().toDateString();
    if (before ? new Date(before.message.at_ms).toDateString() === day : day === today) {
      delete shown.element.dataset["day"];
    } else {
      shown.element.dataset["day"] =
        day === today
          ? "Today"
          : new Date(shown.message.at_ms).toLocaleDateString("en", { weekday: "long", month: "long", day: "numeric" });
    }
  }

  /** @param {Shown} shown */
  #remove(shown) {
    if (shown.view) shown.view.leave();
    else shown.element.remove();
    this.#shown.delete(shown.message.id);
    this.#order.splice(this.#order.indexOf(shown), 1);
  }

  #trim() {
    for (const shown of this.#order.slice(0, Math.max(0, this.#order.length - MOST_MESSAGES))) this.#remove(shown);
  }
}

/** @returns {ScrollBehavior} */
function motion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}
