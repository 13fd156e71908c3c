/** What a person prefers: which settings there are, and what each takes. */
import type { Infer } from "convex/values";
import { DURATION_S, text, within, WORD_MAX } from "../limits";
import { invalid } from "../refusals";
import type { preferences } from "../schema";

type Preferences = Infer<typeof preferences>;
type Value = Preferences[string];

const KEYS = new Set(["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]);

function word(label: string, max = WORD_MAX): (value: Value) => void {
  return (value) => {
    if (typeof value !== "string") throw invalid(`${label} is a word.`);
    text(label, value, max);
  };
}

function zone(value: Value): void {
  word("The time zone")(value);
  try {
    new Intl.DateTimeFormat("en", { timeZone: String(value) });
  } catch {
    throw invalid("That is no time zone that I know. One is called Asia/Kolkata, for example.");
  }
}

const CHECKS: Record<string, (value: Value) => void> = {
  tonic: (value) => {
    if (!KEYS.has(String(value))) throw invalid("The tonic is one of C, C#, D, D#, E, F, F#, G, G#, A, A# and B.");
  },
  tradition: (value) => {
    if (value !== "Hindustani" && value !== "Carnatic") throw invalid("The tradition is Hindustani or Carnatic.");
  },
  duration: (value) => {
    if (typeof value !== "number") throw invalid("The length is a number of seconds.");
    within("The length in seconds", value, ...DURATION_S);
  },
  instrument: word("The instrument"),
  voice: word("The voice"),
  language: word("The language", 10),
  place: word("The place"),
  timezone: zone,
  notifications: (value) => {
    if (typeof value !== "boolean") throw invalid("Notifications are on or off.");
  },
};

/** The preferences with these changes; null forgets one. Refuses settings that there are not. */
export function changed(before: Preferences | undefined, changes: Record<string, Value | null>): Preferences {
  const after = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    const check = CHECKS[name];
    if (check === undefined) throw invalid(`There is no setting of that name. There are ${Object.keys(CHECKS).join(", ")}.`);
    if (value === null) {
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the name is one of the table above
      delete after[name];
    } else {
      check(value);
      after[name] = value;
    }
  }
  return after;
}
