/** The table of public functions in docs/security.md, and arguments that each of them takes. */

export const WHO = ["anyone", "user", "user through a bot", "bot", "worker", "user or bot", "curator or bot", "group admin"] as const;
export type Who = (typeof WHO)[number];

/** Who may call each function, as docs/security.md has it. Throws where the table cannot be read. */
export function callersIn(page: string): Map<string, Who> {
  const [, section] = /\n## Public functions\n(.*?)\n## /s.exec(page) ?? [];
  const rows = (section ?? "").split("\n").filter((line) => line.startsWith("|")).slice(2);
  const table = new Map<string, Who>();
  for (const row of rows) {
    const [, name, given, checks] = /^\| `([\w/]+:\w+)` \| ([^|]+) \| ([^|]+) \|$/.exec(row) ?? [];
    const who = WHO.find((one) => one === given);
    if (name === undefined || who === undefined || checks === undefined) throw new Error(`docs/security.md: this row cannot be read: ${row}`);
    if (table.has(name)) throw new Error(`docs/security.md: ${name} has two rows.`);
    table.set(name, who);
  }
  return table;
}

/** What the calls find: a piece of the user that the worker makes, its delivery, a new upload, the audio of a finished piece, an open correction by the user. */
export interface Standing {
  piece: string;
  delivery: string;
  upload: string;
  audio: string;
  correction: string;
  worker: string;
  linked: Linked;
  listed: Listed;
}

/** A link of the user with another account, that account's row, a link that waits for their word, and what the bot has to tell. */
export interface Linked {
  merge: string;
  account: string;
  link: string;
  notice: string;
}

export const NOTHING_LINKED: Linked = { merge: "x", account: "x", link: "x", notice: "x" };

/** Makes these, by calls alone. `as` calls as a chat account, or as the bot where that is none. Two new accounts are used up. */
export async function linkTo(owner: string, others: [string, string], as: (subject: string | null, path: string, args: object) => Promise<unknown>): Promise<Linked> {
  const between = async (other: string): Promise<string> => {
    const hash = [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    await as(other, "links:begin", { hash, kind: "code" });
    return ((await as(owner, "links:redeem", { hash })) as { linkId: string }).linkId;
  };
  // A person has twenty accounts at most, and these tests would use up more.
  const before = (await as(owner, "accounts:me", {})) as { accounts: { id: string; current: boolean }[] };
  for (const { id, current } of before.accounts) if (!current) await as(owner, "accounts:unlink", { id, idempotencyKey: id });
  const first = await between(others[0]);
  await as(others[0], "links:confirm", { linkId: first });
  const { mergeId } = (await as(owner, "links:confirm", { linkId: first })) as { mergeId: string };
  const { accounts } = (await as(owner, "accounts:me", {})) as { accounts: { id: string; account: string }[] };
  const { notices } = (await as(null, "deliveries:watch", {})) as { notices: { noticeId: string }[] };
  return {
    merge: mergeId,
    account: accounts.find(({ account }) => account === others[0])?.id ?? "",
    link: await between(others[1]),
    notice: notices[0]?.noticeId ?? "",
  };
}

/** A finished piece of the user, a playlist of theirs with it, and another member of that. */
export interface Listed {
  finished: string;
  playlist: string;
  entry: string;
  member: string;
}

export const NOTHING_LISTED: Listed = { finished: "x", playlist: "x", entry: "x", member: "x" };

/** 128 bits in the alphabet of URLs. */
export function newToken(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Makes these around a finished piece, by calls alone; earlier playlists of the owner go. */
export async function listFor(owner: string, finished: string, other: string, as: (subject: string | null, path: string, args: object) => Promise<unknown>): Promise<Listed> {
  for (const { playlistId } of (await as(owner, "playlists:mine", {})) as { playlistId: string }[]) await as(owner, "playlists:remove", { playlistId });
  const made = (await as(owner, "playlists:create", { name: "Mornings", idempotencyKey: newToken() })) as { playlistId: string };
  const playlist = made.playlistId;
  const { entryId } = (await as(owner, "playlists:add", { playlistId: playlist, generationId: finished })) as { entryId: string };
  const { token } = (await as(owner, "playlists:invite", { playlistId: playlist, role: "editor", token: newToken() })) as { token: string };
  await as(other, "playlists:join", { token });
  const members = (await as(owner, "playlists:members", { playlistId: playlist })) as { memberId: string; own: boolean }[];
  return { finished, playlist, entry: entryId, member: members.find(({ own }) => !own)?.memberId ?? "" };
}

export type Arguments = Record<string, unknown>;

/** Arguments that each public function takes, on what stands there. */
export function argumentsFor({ piece, delivery, upload, audio, correction, worker, linked, listed }: Standing): Record<string, Arguments> {
  const place = { platform: "discord", chat: "c1" };
  const lease = { generationId: piece, worker, attempt: 1 };
  const paginationOpts = { numItems: 5, cursor: null };
  const raga = { name: "Durga", tradition: "Hindustani", arohana: ["S", "R2", "M1", "P", "D2", "S'"], avarohana: ["S'", "D2", "P", "M1", "R2", "S"] };
  // As many bytes as "audio" has.
  const metadata = { title: "Yaman", performer: "Raga Bot", durationS: 30, tonicHz: 146.8, tempoBpm: 60, tala: "Tintal", sizeBytes: 5 };
  const run = { id: "r1", source: "old", total: 1, startedAt: 0 };
  const entry = { table: "ragas", id: "1", checksum: "c1", target: "oldRagas", doc: { name: "Durga", folded: "durga" } };
  return {
    "accounts:me": {},
    "accounts:setPreferences": { changes: { tonic: "D", duration: 90, notifications: false } },
    "accounts:unlink": { id: linked.account, idempotencyKey: "unlink" },
    "catalogue:publish": { version: "1", count: 1 },
    "catalogue:remove": { ragas: [{ name: "Durga", tradition: "Hindustani" }] },
    "catalogue:upsert": { ragas: [{ ...raga, aliases: ["Durgaa"], scripts: [{ script: "Deva", name: "दुर्गा" }], prahar: [5], pakad: [["M1", "R2"]] }] },
    "catalogue:version": {},
    "corrections:accepted": { paginationOpts },
    "corrections:decide": { id: correction, accept: true, value: "G3", note: "Yes." },
    "corrections:file": { raga: "Durga", tradition: "Hindustani", field: "vadi", text: "It is Ma.", idempotencyKey: "report" },
    "corrections:list": { status: "open", paginationOpts },
    "corrections:mine": { paginationOpts },
    "deliveries:done": { deliveryId: delivery },
    "deliveries:move": { deliveryId: delivery, message: "m2" },
    "deliveries:watch": {},
    "favorites:list": { paginationOpts },
    "favorites:set": { generationId: piece, on: true, idempotencyKey: "heart", place },
    "favorites:setByMessage": { ...place, message: "m1", on: true },
    "files:generateUploadUrl": {},
    "files:getFileUrl": { storageId: audio },
    "files:gone": { ids: [audio, piece] },
    "groups:announce": { text: "Back in ten minutes." },
    "groups:audit": { guild: "g1", paginationOpts },
    "groups:auditAll": { paginationOpts },
    "groups:ban": { guild: "g1", account: "discord:77", name: "Mallory", idempotencyKey: "ban" },
    "groups:banEverywhere": { account: "discord:78" },
    "groups:configure": { guild: "g1", changes: { allowedChats: ["c1"], perHour: 30, longestS: 120 }, idempotencyKey: "configure" },
    "groups:left": { platform: "discord", guild: "g9", chats: ["c9"] },
    "groups:moved": { platform: "telegram", from: "-9", to: "-1009" },
    "groups:rules": {},
    "groups:show": { guild: "g1" },
    "groups:unban": { guild: "g1", account: "discord:77", idempotencyKey: "unban" },
    "groups:unbanEverywhere": { account: "discord:78" },
    "jobs:claim": { worker, leaseS: 90, holds: [piece] },
    "jobs:complete": { ...lease, audioFileId: upload, metadata },
    "jobs:fail": { ...lease, code: "failed", message: "It did not work.", retry: true },
    "jobs:progress": { ...lease, stage: "compose", percent: 10, secondsLeft: 3, leaseS: 90 },
    "jobs:release": { worker },
    "links:begin": { hash: "a".repeat(64), kind: "code" },
    "links:confirm": { linkId: linked.link },
    "links:decline": { linkId: linked.link },
    "links:pending": {},
    "links:redeem": { hash: "b".repeat(64) },
    "links:undo": { mergeId: linked.merge },
    "migration:entries": { source: "old", keys: [{ table: "ragas", id: "1", target: "oldRagas" }] },
    "migration:mark": { run: "r1", stage: "import", cursor: 1 },
    "migration:page": { source: "old", paginationOpts },
    "migration:recordings": { raga: "Yaman", tradition: "Hindustani" },
    "migration:replace": { run, entry, previous: null },
    "migration:rollback": { run: "r1" },
    "migration:runs": { source: "old" },
    "migration:strays": { table: "legacy", paginationOpts },
    "migration:uploadUrl": {},
    "migration:uploads": { since: 0, paginationOpts },
    "migration:withdraw": { source: "old", rows: [{ table: "ragas", id: "1", target: "oldRagas", previous: null }] },
    "migration:write": { run, entries: [entry] },
    "musicGeneration:cancel": { generationId: piece, idempotencyKey: "stop" },
    "musicGeneration:chain": { generationId: piece, place },
    "musicGeneration:get": { generationId: piece, place },
    "musicGeneration:getUserHistory": { isFavorite: false },
    "musicGeneration:history": { paginationOpts },
    "musicGeneration:remove": { generationId: piece },
    "musicGeneration:rename": { generationId: piece, title: "An evening" },
    "musicGeneration:startGeneration": { request: REQUEST, idempotencyKey: "start" },
    "musicGeneration:toggleFavorite": { generationId: piece, idempotencyKey: "turn", place },
    "notices:done": { noticeId: linked.notice },
    "playlists:add": { playlistId: listed.playlist, generationId: listed.finished },
    "playlists:create": { name: "Evenings", idempotencyKey: "create" },
    "playlists:drop": { playlistId: listed.playlist, entryId: listed.entry },
    "playlists:expel": { playlistId: listed.playlist, memberId: listed.member },
    "playlists:invite": { playlistId: listed.playlist, role: "listener", token: newToken() },
    "playlists:join": { token: "j".repeat(22) },
    "playlists:leave": { playlistId: "x" },
    "playlists:members": { playlistId: listed.playlist },
    "playlists:mine": {},
    "playlists:remove": { playlistId: listed.playlist },
    "playlists:rename": { playlistId: listed.playlist, name: "Nights" },
    "playlists:setRole": { playlistId: listed.playlist, memberId: listed.member, role: "listener" },
    "playlists:show": { playlistId: listed.playlist, paginationOpts },
    "playlists:uninvite": { playlistId: listed.playlist },
    "privacy:deleteMe": {},
    "privacy:page": { section: "pieces", paginationOpts },
    "ragas:getAll": { tradition: "Carnatic" },
    "ragas:getByName": { name: "Yaman", tradition: "Hindustani" },
    "ragas:page": { paginationOpts },
    "ragas:search": { query: "evening", tradition: "Hindustani" },
    "shares:create": { generationId: listed.finished, token: newToken(), idempotencyKey: "share" },
    "shares:mine": { paginationOpts },
    "shares:open": { token: "o".repeat(22) },
    "shares:revoke": { generationId: listed.finished },
  };
}

export const REQUEST = {
  musicType: "instrumental",
  instruments: ["sitar"],
  voice: "female",
  mood: "calm",
  theme: "evening",
  duration: 30,
  tempo: 60,
  key: "D",
  raga: "Yaman",
  tradition: "Hindustani",
  tala: "Tintal",
  seed: 7,
};

/** A function of convex/ as its module exports it, seen from outside of Convex's types. */
export interface Exported {
  isPublic?: boolean;
  isInternal?: boolean;
  isQuery?: boolean;
  isMutation?: boolean;
  isAction?: boolean;
  isHttp?: boolean;
  /** The validator of its arguments, as JSON. */
  exportArgs?: () => string;
}

export type Modules = Record<string, Record<string, unknown>>;

/** Every function that loaded modules export, by `module:name`; paths as in `../../convex/ragas.ts`. */
export function functionsOf(modules: Modules): Map<string, Exported> {
  const found = new Map<string, Exported>();
  for (const [path, module] of Object.entries(modules)) {
    const name = path.replace(/^.*?\/convex\//, "").replace(/\.ts$/, "");
    for (const [exportName, value] of Object.entries(module)) {
      const candidate = value as Exported | null;
      if (candidate === null || (typeof candidate !== "function" && typeof candidate !== "object")) continue;
      if (candidate.isQuery === true || candidate.isMutation === true || candidate.isAction === true || candidate.isHttp === true) {
        found.set(`${name}:${exportName}`, candidate);
      }
    }
  }
  return found;
}

/** Those of them that can be called from outside. A function that does not say that it is internal is one of them. */
export function publicOf(functions: Map<string, Exported>): Map<string, Exported> {
  return new Map([...functions].filter(([, { isInternal }]) => isInternal !== true));
}
