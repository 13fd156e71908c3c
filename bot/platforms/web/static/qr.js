// An address as a QR code, drawn as one path.

import { el } from "./dom.js";

/** @import { Qr } from "./frames.js" */

const QUIET = 4; // modules of light around the code, without which a camera does not find it
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Qr} qr
 * @returns {HTMLElement}
 */
export function qrView(qr) {
  const side = qr.rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `QR code of ${qr.address}`);
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", qr.rows.flatMap((row, y) => marks(row, y)).join(""));
  svg.append(dark);
  const box = el("figure", { class: "qr", "data-testid": "qr" });
  box.append(svg);
  box.append(el("figcaption", {}, "Scan it with the phone that has the other account."));
  return box;
}

/**
 * @param {string} row
 * @param {number} y
 */
function marks(row, y) {
  return [...row].flatMap((mark, x) => (mark === "1" ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : []));
}
