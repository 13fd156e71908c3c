// One message of the conversation as an element that can take on a new state.

import { cardView } from "./card.js";
import { fileView } from "./file.js";
import { el, icon, withCommands } from "./dom.js";
import { player } from "./player.js";
import { progressView } from "./progress.js";
import { qrView } from "./qr.js";

/** @import { Message, Reply, ReplyButton } from "./frames.js" */
/** @import { ProgressView } from "./progress.js" */

/**
 * @callback PressButton
 * @param {string} message the id of the message that holds the button
 * @param {string} line what the button sends
 * @param {HTMLButtonElement} button
 */

const FAVORITE = /^\/favorite\b/;

const TYPING_AFTER_MS = 250;

/**
 * What a person said.
 * @param {string} text
 * @param {string | null} ask
 * @returns {HTMLElement}
 */
export function saidView(text, ask) {
  const command = /^\/\S+/.exec(text)?.[0] ?? "";
  return el(
    "article",
    { class: "message person", "aria-label": "You", "data-testid": "said", "data-ask": ask },
    el("p", { class: "said" }, command && el("span", { class: "command" }, command), text.slice(command.length)),
  );
}

/**
 * The picture of a piece; where it cannot be had any more, there is none.
 * @param {{url: string, alt: string}} cover
 */
function coverView(cover) {
  const image = el("img", { class: "cover", src: cover.url, alt: cover.alt, loading: "lazy", "data-testid": "cover" });
  image.addEventListener("error", () => image.remove());
  return image;
}

export class ReplyView {
  /** @type {ProgressView | null} */ #progress = null;
  /** @type {HTMLButtonElement | null} */ #heart = null;
  /** @type {{url: string, element: HTMLElement} | null} */ #player = null;
  #drawn = "";
  #frame = "";
  #typing = 0;

  /**
   * @param {string} id
   * @param {PressButton} press
   */
  constructor(id, press) {
    this.id = id;
    this.press = press;
    this.element = el("article", {
      class: "message bot",
      "aria-label": "Raga Bot",
      "data-testid": "reply",
      "data-message": id,
    });
  }

  /** @param {Message} message */
  show(message) {
    clearTimeout(this.#typing);
    const reply = message.reply;
    if (!reply) {
      this.#wait();
      return;
    }
    const drawn = JSON.stringify(reply);
    // A heart that changes must not stop the music: only what differs is drawn anew.
    if (drawn !== this.#drawn && !this.#advance(reply)) this.#draw(reply);
    this.#drawn = drawn;
    this.#paintHeart(message.kept);
  }

  /** The message goes; what plays in it stops. */
  leave() {
    clearTimeout(this.#typing);
    this.element.querySelector("audio")?.pause();
    this.element.remove();
  }

  /** Show that an answer is under way, but only when it takes a while: most are here at once. */
  #wait() {
    this.element.classList.add("pending");
    this.#typing = setTimeout(() => {
      this.element.replaceChildren(
        el("p", { class: "typing", role: "img", "aria-label": "Thinking" }, ...[0, 1, 2].map(() => el("span"))),
      );
    }, TYPING_AFTER_MS);
  }

  /**
   * A progress report that only moves the bar leaves the rest of the message alone.
   * @param {Reply} reply
   */
  #advance(reply) {
    const frame = reply.progress ? JSON.stringify({ ...reply, progress: null }) : "";
    const same = frame !== "" && frame === this.#frame;
    this.#frame = frame;
    if (!same || !reply.progress || !this.#progress) return false;
    this.#progress.update(reply.progress);
    return true;
  }

  /** @param {Reply} reply */
  #draw(reply) {
    const had = document.activeElement;
    const focused = had instanceof HTMLElement && this.element.contains(had) ? had.dataset["line"] : undefined;
    this.#progress = reply.progress ? progressView(reply.progress, reply.card ? "" : reply.text) : null;
    this.#heart = null;
    const hearts = reply.favorite ? reply.buttons.flat().filter((button) => FAVORITE.test(button.line)) : [];
    if (hearts[0]) this.#heart = this.#heartButton(hearts[0]);

    if (this.#player && this.#player.url !== reply.track?.url) {
      this.#player.element.querySelector("audio")?.pause();
      this.#player = null;
    }
    this.element.classList.remove("pending");
    this.element.classList.toggle("refused", !reply.ok);
    this.element.classList.toggle("plain", !reply.card && !reply.track && !reply.entries.length && !reply.progress);
    this.element.replaceChildren();
    if (reply.private) {
      this.element.append(el("p", { class: "private", "data-testid": "private" }, icon("lock"), "Only you see this"));
    }
    // What a piece is made of stands on its sheet; any other text stands by itself.
    const about = (reply.progress || reply.track) && !reply.card ? reply.text : "";
    if (reply.text && !about) this.element.append(el("p", { class: "text" }, withCommands(reply.text)));
    if (reply.card) this.element.append(cardView(reply.card));
    if (this.#progress) this.element.append(this.#progress.element);
    if (reply.track) this.element.append(this.#trackSheet(reply, about));
    if (reply.qr) this.element.append(qrView(reply.qr));
    if (reply.download) this.element.append(fileView(reply.download));
    if (reply.entries.length) this.element.append(this.#entries(reply));
    for (const menu of reply.menus ?? []) this.element.append(this.#menu(menu));
    if (reply.notice) this.element.append(el("p", { class: "text" }, withCommands(reply.notice)));

    const rest = reply.buttons.map((row) => row.filter((button) => !hearts.includes(button)));
    const rows = rest.filter((row) => row.length).map((row) => el("div", { class: "row" }, ...row.map((b) => this.#button(b))));
    if (rows.length || this.#heart) {
      this.element.append(el("div", { class: "actions", role: "group", "aria-label": "Actions" }, this.#heart, ...rows));
    }
    if (focused !== undefined) this.#focusAgain(focused);
  }

  /** @param {string} line */
  #focusAgain(line) {
    const buttons = [...this.element.querySelectorAll("button")];
    const next = buttons.find((button) => button.dataset["line"] === line) ?? buttons[0];
    if (next) next.focus({ preventScroll: true });
    else {
      this.element.tabIndex = -1;
      this.element.focus({ preventScroll: true });
    }
  }

  /**
   * @param {Reply} reply
   * @param {string} about
   */
  #trackSheet(reply, about) {
    const track = reply.track;
    if (!track) throw new Error("a sheet of no track");
    const titled = reply.card?.title === track.title;
    this.#player ??= { url: track.url, element: player(track) };
    return el(
      "section",
      { class: "sheet track", "data-testid": "track" },
      !titled && el("header", {}, el("h2", {}, track.title), track.performer && el("p", { class: "subtitle" }, track.performer)),
      this.#player.element,
      track.cover ? coverView(track.cover) : null,
      about && el("p", { class: "about", "data-testid": "parameters" }, about),
    );
  }

  /** @param {import("./frames.js").Menu} menu */
  #menu(menu) {
    return el(
      "div",
      { class: "menu", role: "group", "aria-label": menu.title, "data-testid": "menu" },
      el("p", { class: "menu-title", "aria-hidden": "true" }, menu.title),
      el("div", { class: "row" }, ...menu.choices.map((choice) => this.#button(choice))),
    );
  }

  /** @param {Reply} reply */
  #entries(reply) {
    return el(
      "ol",
      { class: "entries", "data-testid": "entries" },
      ...reply.entries.map((entry) =>
        el(
          "li",
          {},
          el(
            "div",
            { class: "what" },
            el("p", { class: "title" }, withCommands(entry.title)),
            entry.detail && el("p", { class: "detail" }, withCommands(entry.detail)),
          ),
          entry.buttons.length > 0 &&
            el(
              "div",
              { class: "row", role: "group", "aria-label": entry.title },
              ...entry.buttons.map((button) => this.#button(button, entry.title)),
            ),
        ),
      ),
    );
  }

  /**
   * @param {ReplyButton} button
   * @param {string} [about] what the button acts on, where its label does not tell
   */
  #button(button, about) {
    const element = el("button", { type: "button", class: "button", "data-line": button.line }, button.label);
    if (about && !button.label.includes(about)) element.setAttribute("aria-label", `${button.label}: ${about}`);
    element.addEventListener("click", () => this.press(this.id, button.line, element));
    return element;
  }

  /** @param {ReplyButton} button */
  #heartButton(button) {
    const element = el(
      "button",
      {
        type: "button",
        class: "heart",
        "aria-pressed": "false",
        "aria-label": "Favorite",
        "data-line": button.line,
        "data-testid": "heart",
      },
      icon("heart"),
    );
    element.addEventListener("click", () => {
      const on = element.getAttribute("aria-pressed") === "true";
      // A line that says which of the two it asks for has to ask for the other one now.
      this.press(this.id, button.line.replace(/\b(on|off)$/, on ? "off" : "on"), element);
    });
    return element;
  }

  /** @param {boolean | null} kept */
  #paintHeart(kept) {
    if (!this.#heart) return;
    this.#heart.setAttribute("aria-pressed", String(kept === true));
    this.#heart.title = kept ? "Take it off your favorites" : "Keep it as a favorite";
  }
}
