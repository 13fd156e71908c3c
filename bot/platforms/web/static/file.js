// A piece as a file to take away: a link that saves it, and the picture itself where it is one.

import { el, icon } from "./dom.js";

/** @import { Download } from "./frames.js" */

/**
 * @param {Download} file
 * @returns {HTMLElement}
 */
export function fileView(file) {
  const link = el(
    "a",
    { class: "download", href: file.url, download: file.filename, "data-testid": "file" },
    icon("download"),
    file.filename,
  );
  return el(
    "section",
    { class: "sheet file" },
    file.kind === "picture" && el("img", { class: "cover", src: file.url, alt: `The melody of ${file.title}`, loading: "lazy" }),
    el("p", { class: "about" }, link, ` ${size(file.size_bytes)}`),
  );
}

/** @param {number} bytes */
function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
