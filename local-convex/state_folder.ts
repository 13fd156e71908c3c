/** The state directory: one process at a time, and the secrets that live there. */

import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { StartError, messageOf } from "./errors.ts";

/**
 * Hold the directory for this process. The lock is SQLite's own on a file of its own: the operating system releases
 * it with the process, however that ends.
 *
 * @returns releases the lock
 * @throws StartError when another process holds it
 */
export function lockFolder(folder: string): () => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new StartError(`The state directory ${folder} cannot be made: ${messageOf(thrown)}.`);
  }
  const lock = new DatabaseSync(join(folder, "lock"));
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (thrown) {
    lock.close();
    if (/locked|busy/i.test(messageOf(thrown))) {
      throw new StartError(`Another local Convex is running on ${folder}; stop it first, or choose another directory with --state.`);
    }
    throw new StartError(`The state directory ${folder} cannot be used: ${messageOf(thrown)}.`);
  }
  return () => {
    lock.close();
  };
}

/** The secret in a file that only its owner can read, made at the first start. */
export function secretFile(folder: string, name: string, make: () => string = () => randomBytes(32).toString("hex")): string {
  const file = join(folder, name);
  try {
    return readFileSync(file, "utf8").trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
  }
  const secret = make();
  const part = `${file}.part`;
  const handle = openSync(part, "w", 0o600);
  writeSync(handle, `${secret}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(part, file);
  return secret;
}
