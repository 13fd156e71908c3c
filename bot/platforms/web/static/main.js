// Puts the page together.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { byId, el, icon } from "./dom.js";
import { askId } from "./frames.js";
import { SignIn } from "./signin.js";
import { Toasts } from "./toasts.js";

/** @import { ConnectionState } from "./connection.js" */
/** @import { Answered, Incoming, Message, Refused } from "./frames.js" */

const BANNER_AFTER_MS = 1_200;
const TITLE = document.title;

const field = byId("line", HTMLTextAreaElement);
const clear = byId("clear", HTMLButtonElement);
const clearDialog = byId("clear-dialog", HTMLDialogElement);
const banner = byId("banner", HTMLElement);
const status = byId("connection", HTMLElement);
const statusText = byId("connection-text", HTMLElement);
const toasts = new Toasts(byId("toasts", HTMLElement));

/** Pieces whose progress was seen in this page, so that their end is told. @type {Set<string>} */
const underWay = new Set();
let bannerTimer = 0;

byId("send", HTMLButtonElement).append(icon("send"));
byId("newest", HTMLButtonElement).prepend(icon("down"));

const conversation = new Conversation(
  {
    log: byId("log", HTMLElement),
    scroller: byId("conversation", HTMLElement),
    content: byId("column", HTMLElement),
    newest: byId("newest", HTMLButtonElement),
  },
  press,
);

const connection = new Connection({
  frame: take,
  state: showState,
  seen: () => ({ epoch: conversation.epoch, since: conversation.seq }),
});

const composer = new Composer(
  {
    form: byId("composer", HTMLFormElement),
    field,
    box: byId("palette", HTMLElement),
    list: byId("suggestions", HTMLElement),
    spoken: byId("spoken", HTMLElement),
  },
  {
    send: say,
    complete: (request, line) => connection.send({ type: "complete", request, line }),
    earlier: () => conversation.lines,
  },
);

/** @param {string} text */
function say(text) {
  const id = askId();
  conversation.say(id, text);
  connection.ask({ type: "say", id, text }, (outcome) => {
    if (outcome.type === "error") notTaken(id, text, outcome);
    else remark(outcome);
  });
}

/**
 * @param {string} id
 * @param {string} text
 * @param {Refused} refused
 */
function notTaken(id, text, refused) {
  toasts.show(refused.message, { trouble: true });
  const again = el("button", { type: "button", class: "button" }, "Send again");
  again.addEventListener("click", () => {
    conversation.withdraw(id);
    say(text);
  });
  conversation.notTaken(id, el("p", { class: "again" }, "Not sent. ", again));
}

/**
 * A button of a message: once until it is answered, however often it is pressed.
 * @param {string} message
 * @param {string} line
 * @param {HTMLButtonElement} button
 */
function press(message, line, button) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  connection.ask({ type: "press", id: askId(), message, line }, (outcome) => {
    button.removeAttribute("aria-busy");
    if (outcome.type === "error") toasts.show(outcome.message, { trouble: true });
    else remark(outcome);
  });
}

/** @param {Answered} answered */
function remark(answered) {
  if (answered.notice && answered.message === null) toasts.show(answered.notice, { trouble: !answered.ok });
}

/** @param {Incoming} frame */
function take(frame) {
  if (frame.type === "suggestions") composer.suggest(frame);
  else if (frame.type === "welcome") welcome(frame);
  else if (frame.type === "messages") change(frame);
  else if (frame.type === "error" && !frame.id) toasts.show(frame.message, { trouble: true });
  clear.hidden = conversation.empty;
}

/** @param {import("./frames.js").Welcome} frame */
function welcome(frame) {
  const fresh = conversation.take(frame, { reset: frame.reset });
  if (frame.reset) for (const message of fresh) note(message);
  else fresh.forEach(tellEnd);
}

/** @param {import("./frames.js").Changes} frame */
function change(frame) {
  if (conversation.epoch && frame.epoch !== conversation.epoch) {
    // The bot has begun a new log: what stands here is not in it.
    connection.again();
    return;
  }
  conversation.take(frame).forEach(tellEnd);
}

/** @param {Message} message */
function note(message) {
  if (message.reply?.progress) underWay.add(message.id);
}

/**
 * Say that a piece is done to who looks or listens elsewhere.
 * @param {Message} message
 */
function tellEnd(message) {
  note(message);
  if (!message.reply || message.reply.progress || !underWay.delete(message.id)) return;
  const title = message.reply.track?.title;
  if (title) byId("spoken", HTMLElement).textContent = `${title} is ready.`;
  if (document.hidden && title) document.title = `♪ ${title} · ${TITLE}`;
  if (!document.hidden && conversation.inView(message.id)) return;
  toasts.show(title ? `${title} is ready.` : "One of your pieces has news.", {
    action: { label: "Show", run: () => conversation.reveal(message.id) },
  });
}

/** @param {ConnectionState} state */
function showState(state) {
  const open = state === "open";
  status.dataset["state"] = state;
  statusText.textContent = open ? "Connected" : state === "waiting" ? "Reconnecting…" : "Connecting…";
  if (open) {
    clearTimeout(bannerTimer);
    bannerTimer = 0;
    banner.classList.remove("shown");
    banner.textContent = "";
  } else if (state === "waiting" && !bannerTimer) {
    bannerTimer = setTimeout(() => {
      banner.textContent = navigator.onLine
        ? "The bot is out of reach; reconnecting. What you send now goes out as soon as it is back."
        : "You are offline. What you send now goes out as soon as you are back.";
      banner.classList.add("shown");
    }, BANNER_AFTER_MS);
  }
}

byId("examples", HTMLElement).addEventListener("click", (event) => {
  const chip = event.target instanceof Element ? event.target.closest("button") : null;
  if (chip?.dataset["line"]) say(chip.dataset["line"]);
});

byId("log", HTMLElement).addEventListener("begin-command", (event) => {
  if (event instanceof CustomEvent) composer.begin(`${event.detail} `);
});

const signIn = new SignIn(
  {
    button: byId("sign-in", HTMLButtonElement),
    dialog: byId("sign-in-dialog", HTMLDialogElement),
    outcome: byId("sign-in-outcome", HTMLElement),
    providers: byId("sign-in-providers", HTMLFormElement),
  },
  (text) => toasts.show(text),
);
signIn.offer(document.body.dataset["signIn"] ?? "");
void signIn.finish();

clear.addEventListener("click", () => clearDialog.showModal());
clearDialog.addEventListener("close", () => {
  if (clearDialog.returnValue === "yes") connection.send({ type: "clear" });
  clearDialog.returnValue = "";
  field.focus();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = TITLE;
});

document.addEventListener("keydown", (event) => {
  // A slash anywhere begins a command, as a letter typed nowhere in particular would be lost.
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && event.target.matches("input, textarea, dialog *")) return;
  event.preventDefault();
  if (field.value) field.focus();
  else composer.begin("/");
});

if (matchMedia("(hover: hover)").matches) field.focus();
void connection.connect();
