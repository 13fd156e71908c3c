// Signing in with another platform: the way there, and what comes back from it.

const RETURN = /^\/signin\/([a-z]+)$/;
const DEADLINE_MS = 55_000;
const OUT_OF_REACH = "The bot is out of reach, so nothing has changed. Please sign in again in a moment.";

/**
 * @typedef {object} Parts
 * @property {HTMLButtonElement} button opens the dialog
 * @property {HTMLDialogElement} dialog
 * @property {HTMLElement} outcome says why the last sign-in has come to nothing
 * @property {HTMLFormElement} providers holds a button for each
 */

export class SignIn {
  /**
   * @param {Parts} parts
   * @param {(text: string) => void} welcome
   */
  constructor(parts, welcome) {
    this.parts = parts;
    this.welcome = welcome;
    parts.button.addEventListener("click", () => this.#open(""));
    parts.providers.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (button?.dataset["provider"]) void this.#begin(button.dataset["provider"]);
    });
    // Who comes back by the browser's own button finds the page as it was left.
    addEventListener("pageshow", () => this.#busy(false));
  }

  /**
   * Show by whom one can sign in; without any there is nothing to be seen.
   * @param {string} names
   */
  offer(names) {
    const offered = names.split(" ").filter(Boolean);
    for (const button of this.#buttons) button.hidden = !offered.includes(button.dataset["provider"] ?? "");
    this.parts.button.hidden = offered.length === 0;
  }

  /** If this visit is the way back from a provider, finish what was begun. */
  async finish() {
    const provider = RETURN.exec(location.pathname)?.[1];
    if (!provider) return;
    const answer = Object.fromEntries([
      ...new URLSearchParams(location.search),
      ...new URLSearchParams(location.hash.slice(1)),
    ]);
    // The answer is a secret: it must not stay in the address, nor in the browser's history.
    history.replaceState(null, "", "/");
    const said = await post(`/api/signin/${provider}/finish`, answer);
    if (said.ok) this.welcome(said.text);
    else this.#open(said.text);
  }

  /** @param {string} provider */
  async #begin(provider) {
    this.#busy(true);
    const said = await post(`/api/signin/${provider}`, {});
    if (said.address) {
      location.assign(said.address);
      return;
    }
    this.#busy(false);
    this.#open(said.text);
  }

  /** @param {string} trouble */
  #open(trouble) {
    const { dialog, outcome } = this.parts;
    if (!dialog.open) dialog.showModal();
    outcome.hidden = trouble === "";
    outcome.textContent = trouble;
  }

  get #buttons() {
    return [...this.parts.providers.querySelectorAll("button")].filter((button) => button.dataset["provider"]);
  }

  /** @param {boolean} busy */
  #busy(busy) {
    for (const button of this.#buttons) button.disabled = busy;
  }
}

/**
 * @param {string} address of ours
 * @param {Record<string, string>} body
 * @returns {Promise<{ok: boolean, text: string, address?: string}>}
 */
async function post(address, body) {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const said = await response.json();
    if (!response.ok) return { ok: false, text: said.error.message };
    return { ok: said.ok !== false, text: said.text ?? "", address: said.address };
  } catch {
    return { ok: false, text: OUT_OF_REACH };
  }
}
