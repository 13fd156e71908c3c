// How far a piece has come. Between two reports the time left runs on by itself; the bar never does.

import { clockTime, el } from "./dom.js";

/** @import { Progress } from "./frames.js" */

/** @type {Set<{element: HTMLElement, show: () => void}>} */
const ticking = new Set();

/**
 * @typedef {{element: HTMLElement, update: (progress: Progress) => void}} ProgressView
 */

/**
 * @param {Progress} progress
 * @param {string} about what is being made
 * @returns {ProgressView}
 */
export function progressView(progress, about) {
  const stage = el("span", { class: "stage", "data-testid": "stage" });
  const percent = el("span", { class: "percent", "data-testid": "percent" });
  const bar = el("progress", { max: 1, "aria-label": "Progress" });
  const left = el("p", { class: "left", "data-testid": "time-left" });
  const element = el(
    "section",
    { class: "progress", "aria-live": "off", "data-testid": "progress" },
    about && el("p", { class: "about" }, about),
    el("p", { class: "head" }, stage, percent),
    bar,
    left,
  );
  /** @type {number | null} */
  let endsAt = null;
  let attempt = 1;

  function show() {
    const again = attempt > 1 ? `Attempt ${attempt}. ` : "";
    if (endsAt === null) {
      left.textContent = again;
      return;
    }
    const seconds = (endsAt - performance.now()) / 1000;
    left.textContent = again + (seconds >= 1 ? `About ${clockTime(seconds)} left` : "Almost there");
  }

  /** @param {Progress} next */
  function update(next) {
    stage.textContent = next.stage;
    percent.textContent = `${Math.floor(next.fraction * 100)} %`;
    bar.value = next.fraction;
    endsAt = next.seconds_left === null ? null : performance.now() + next.seconds_left * 1000;
    attempt = next.attempt;
    show();
  }

  update(progress);
  ticking.add({ element, show });
  return { element, update };
}

setInterval(() => {
  for (const view of ticking) {
    if (view.element.isConnected) view.show();
    else ticking.delete(view);
  }
}, 1_000);
