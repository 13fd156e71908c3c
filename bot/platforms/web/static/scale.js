// A raga's scale as a line that rises and falls, for the eye; the swaras stand beside it as text.

import { drawing } from "./dom.js";

const WIDTH = 470;
const HEIGHT = 112;
const MARGIN = { left: 20, right: 4, top: 12, bottom: 12 };

/** Semitones above Sa, as the two traditions write them (music/swaras.py). @type {Record<string, number>} */
const HINDUSTANI = { S: 0, r: 1, R: 2, g: 3, G: 4, m: 5, "M♯": 6, P: 7, d: 8, D: 9, n: 10, N: 11 };
/** @type {Record<string, number>} */
const CARNATIC = {
  S: 0, "R₁": 1, "R₂": 2, "R₃": 3, "G₁": 2, "G₂": 3, "G₃": 4, "M₁": 5, "M₂": 6,
  P: 7, "D₁": 8, "D₂": 9, "D₃": 10, "N₁": 9, "N₂": 10, "N₃": 11,
};
const GUIDES = [
  { semitone: 0, name: "S" },
  { semitone: 7, name: "P" },
  { semitone: 12, name: "Ṡ" },
];

/**
 * The semitones of a written scale, or null where a word of it is no swara.
 * @param {string} text
 * @returns {number[] | null}
 */
export function semitones(text) {
  const words = text.normalize("NFD").split(/[\s,|]+/).filter(Boolean);
  const table = /[₁₂₃]/.test(text) ? CARNATIC : HINDUSTANI;
  const found = words.map((word) => {
    const up = word.split("\u0307").length - 1;
    const down = word.split("\u0323").length - 1;
    const within = table[word.replace(/[\u0307\u0323]/g, "")];
    return within === undefined ? NaN : within + 12 * (up - down);
  });
  return found.length > 2 && found.every(Number.isFinite) ? found : null;
}

/**
 * The way up and the way down, one after the other. Null where either cannot be read.
 * @param {string} arohana
 * @param {string} avarohana
 * @param {string[]} marked swaras that stand out, such as vadi and samvadi
 * @returns {SVGSVGElement | null}
 */
export function scalePicture(arohana, avarohana, marked) {
  const ways = [semitones(arohana), semitones(avarohana)];
  const [up, down] = ways;
  if (!up || !down) return null;
  const lowest = Math.min(0, ...up, ...down);
  const highest = Math.max(12, ...up, ...down);
  const steps = up.length + down.length;
  const loud = new Set(marked.flatMap((name) => semitones(`S S ${name}`)?.slice(2) ?? []).map(keyOf));

  /** @param {number} step */
  const x = (step) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * (step + 0.5)) / steps;
  /** @param {number} semitone */
  const y = (semitone) =>
    HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * (semitone - lowest)) / (highest - lowest);

  const picture = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "scale", "aria-hidden": "true" });
  for (const { semitone, name } of GUIDES) {
    const height = y(semitone).toFixed(1);
    picture.append(drawing("path", { class: "guide", d: `M${MARGIN.left} ${height}H${WIDTH - MARGIN.right}` }));
    const label = drawing("text", { x: MARGIN.left - 10, y: height, class: "name" });
    label.textContent = name;
    picture.append(label);
  }
  let step = 0;
  for (const way of [up, down]) {
    const points = way.map((semitone) => ({ semitone, x: x(step++), y: y(semitone) }));
    const line = points.map((point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`).join("L");
    picture.append(drawing("path", { class: "way", d: `M${line}` }));
    for (const point of points) {
      const strong = loud.has(keyOf(point.semitone));
      picture.append(
        drawing("circle", {
          class: strong ? "swara strong" : "swara",
          cx: point.x.toFixed(1),
          cy: point.y.toFixed(1),
          r: strong ? 5.6 : 3.6,
        }),
      );
    }
  }
  return picture;
}

/** @param {number} semitone */
function keyOf(semitone) {
  return ((semitone % 12) + 12) % 12;
}
