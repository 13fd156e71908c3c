// A finished piece: the browser's own audio element behind controls that fit the page.

import { clockTime, el, icon, spokenTime } from "./dom.js";

/** @import { Track } from "./frames.js" */

const ARROW_STEP_S = 5;

/** @type {HTMLAudioElement | null} */
let playing = null;

/**
 * @param {Track} track
 * @returns {HTMLElement}
 */
export function player(track) {
  const audio = el("audio", { preload: "none", src: track.url });
  const toggle = el("button", { type: "button", class: "play", "aria-label": "Play" }, icon("play"));
  const seek = el("input", {
    type: "range",
    class: "seek",
    min: 0,
    max: Math.max(1, track.duration_s),
    step: 0.1,
    value: 0,
    "aria-label": "Position",
  });
  const elapsed = el("span", { class: "elapsed", "data-testid": "elapsed" }, "0:00");
  const whole = el("span", { class: "whole", "data-testid": "duration" }, clockTime(track.duration_s));
  const download = el(
    "a",
    { class: "download", href: track.download, download: track.filename, "aria-label": `Download MP3: ${track.title}` },
    icon("download"),
    "MP3",
  );
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const box = el(
    "div",
    { class: "player", role: "group", "aria-label": `Player: ${track.title}`, "data-testid": "player" },
    audio,
    toggle,
    el("div", { class: "timeline" }, seek, el("div", { class: "times", "aria-hidden": "true" }, elapsed, whole)),
    download,
    trouble,
  );
  let held = false;

  function length() {
    return Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration : track.duration_s;
  }

  /** @param {number} at */
  function paint(at) {
    const end = length();
    seek.max = String(end);
    if (!held) seek.value = String(at);
    seek.style.setProperty("--played", `${end > 0 ? Math.min(100, (100 * at) / end) : 0}%`);
    seek.setAttribute("aria-valuetext", `${spokenTime(at)} of ${spokenTime(end)}`);
    elapsed.textContent = clockTime(Math.min(at, end));
    whole.textContent = clockTime(end);
  }

  /** @param {number} to */
  function go(to) {
    const at = Math.max(0, Math.min(length(), to));
    if (audio.readyState === HTMLMediaElement.HAVE_NOTHING) {
      audio.addEventListener("loadedmetadata", () => (audio.currentTime = at), { once: true });
      audio.preload = "metadata";
      audio.load();
    } else {
      audio.currentTime = at;
    }
    paint(at);
  }

  function showState() {
    const runs = !audio.paused && !audio.ended;
    toggle.replaceChildren(icon(runs ? "pause" : "play"));
    toggle.setAttribute("aria-label", runs ? "Pause" : "Play");
    box.classList.toggle("playing", runs);
  }

  toggle.addEventListener("click", () => {
    if (!audio.paused) {
      audio.pause();
      return;
    }
    trouble.hidden = true;
    audio.play().catch((/** @type {DOMException} */ error) => {
      if (error.name !== "AbortError") fail();
    });
  });

  function fail() {
    trouble.textContent = "This could not be played. Please try again in a moment.";
    trouble.hidden = false;
    showState();
  }

  audio.addEventListener("play", () => {
    if (playing !== audio) playing?.pause();
    playing = audio;
    announce(track);
  });
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, showState);
  for (const name of ["timeupdate", "durationchange", "seeked", "ended"]) {
    audio.addEventListener(name, () => paint(audio.currentTime));
  }
  audio.addEventListener("error", () => {
    // A failed load stays failed until it is asked for anew.
    if (!audio.error) return;
    fail();
    toggle.addEventListener("click", () => audio.load(), { once: true, capture: true });
  });

  seek.addEventListener("input", () => {
    held = true;
    paint(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    held = false;
    go(Number(seek.value));
  });
  seek.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -ARROW_STEP_S, ArrowDown: -ARROW_STEP_S, ArrowRight: ARROW_STEP_S, ArrowUp: ARROW_STEP_S }[
      event.key
    ];
    if (step === undefined) return;
    event.preventDefault();
    go(Number(seek.value) + step);
  });
  paint(0);
  return box;
}

/**
 * Name the piece to the keys and the lock screen of the device.
 * @param {Track} track
 */
function announce(track) {
  if (!("mediaSession" in navigator)) return;
  navigator.mediaSession.metadata = new MediaMetadata({ title: track.title, artist: track.performer, album: "Raga Bot" });
}
