// Short remarks that come and go by themselves.

import { el, icon } from "./dom.js";

const SHOWN_MS = 7_000;
const MOST = 3;

export class Toasts {
  /** @param {HTMLElement} place a live region */
  constructor(place) {
    this.place = place;
  }

  /**
   * Show a remark. It stays while it is pointed at or focused.
   * @param {string} text
   * @param {{trouble?: boolean, action?: {label: string, run: () => void}}} [options]
   */
  show(text, { trouble = false, action } = {}) {
    const close = el("button", { type: "button", class: "close", "aria-label": "Dismiss" }, icon("close"));
    const toast = el("div", { class: trouble ? "toast trouble" : "toast" }, el("p", {}, text));
    if (action) {
      const button = el("button", { type: "button", class: "button" }, action.label);
      button.addEventListener("click", () => {
        toast.remove();
        action.run();
      });
      toast.append(button);
    }
    toast.append(close);
    close.addEventListener("click", () => toast.remove());
    const leave = () => {
      if (toast.matches(":hover, :focus-within")) setTimeout(leave, 1_000);
      else toast.remove();
    };
    setTimeout(leave, SHOWN_MS);
    while (this.place.childElementCount >= MOST) this.place.firstElementChild?.remove();
    this.place.append(toast);
  }
}
