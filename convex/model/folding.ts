/** Spellings made comparable. Fuzzy matching of misspelt names is the bot's; here only what is the same name. */

/** Words that people put before a raga's name. */
const PREFIX = /^(?:raga|raag|rag|ragam)\s+(?=\S)/u;

/** Latin diacritics only: the signs of Indian scripts are letters in their own right and stay. */
const DIACRITICS = /[\u0300-\u036f]/gu;

/** Lower-case words without diacritics and punctuation, one blank between them. */
export function foldWords(text: string): string {
  return text
    .normalize("NFKD")
    .replace(DIACRITICS, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
}

/** One key for a name: `Rāga Yaman-Kalyān`, `yaman kalyan` and `YamanKalyan` are the same. */
export function foldName(name: string): string {
  return foldWords(name).replace(PREFIX, "").replaceAll(" ", "");
}
