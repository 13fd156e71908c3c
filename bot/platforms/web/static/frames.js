// What travels between this page and the bot, as bot/platforms/web/wire.py defines it.

/**
 * @typedef {{label: string, line: string}} ReplyButton
 * @typedef {{name: string, value: string}} Field
 * @typedef {{light: string, dark: string, alt: string, width: number, height: number}} CardPicture
 * @typedef {{title: string, subtitle: string, fields: Field[], description: string, footer: string,
 *   picture?: CardPicture | null}} Card
 * @typedef {{stage: string, fraction: number, seconds_left: number | null, attempt: number}} Progress
 * @typedef {{generation: string, title: string, performer: string, duration_s: number, filename: string,
 *   url: string, download: string, cover?: {url: string, alt: string} | null}} Track
 * @typedef {{address: string, rows: string[]}} Qr
 * @typedef {{kind: string, title: string, filename: string, size_bytes: number, url: string}} Download
 * @typedef {{title: string, detail: string, buttons: ReplyButton[]}} Entry
 * @typedef {{title: string, choices: ReplyButton[]}} Menu
 * @typedef {{target: string, on: boolean}} Favorite
 * @typedef {{text: string, card: Card | null, progress: Progress | null, track: Track | null, download?: Download | null, entries: Entry[],
 *   menus?: Menu[], buttons: ReplyButton[][], private: boolean, replaces: boolean, notice: string, favorite: Favorite | null,
 *   generation: string | null, qr?: Qr | null, ok: boolean}} Reply
 * @typedef {{id: string, seq: number, place: number, by: "person" | "bot", state: "pending" | "shown" | "void",
 *   at_ms: number, ask: string | null, kept: boolean | null, text: string | null, reply: Reply | null}} Message
 * @typedef {{value: string, label: string, detail: string}} Suggestion
 */

/**
 * @typedef {{type: "welcome", epoch: string, seq: number, reset: boolean, messages: Message[]}} Welcome
 * @typedef {{type: "messages", epoch: string, seq: number, messages: Message[]}} Changes
 * @typedef {{type: "answered", id: string, message: string | null, ok: boolean, notice: string}} Answered
 * @typedef {{type: "suggestions", request: number, line: string, suggestions: Suggestion[]}} Suggestions
 * @typedef {{type: "error", code: string, message: string, id: string | null, retry_s: number | null}} Refused
 * @typedef {Welcome | Changes | Answered | Suggestions | Refused | {type: "pong"}} Incoming
 */

/**
 * @typedef {{type: "say", id: string, text: string}} Say
 * @typedef {{type: "press", id: string, message: string, line: string}} Press
 * @typedef {{type: "hello", epoch: string, since: number} | {type: "complete", request: number, line: string} |
 *   {type: "clear"} | {type: "ping"} | Say | Press} Outgoing
 */

/** A name for one thing asked; asking again by the same name asks nothing twice. */
export function askId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Over plain HTTP from another machine there is no randomUUID: a version 4 UUID by hand (RFC 9562).
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
