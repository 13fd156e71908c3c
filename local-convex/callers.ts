/** From an `Authorization` header or a sync frame to the caller's identity. */

import { timingSafeEqual } from "node:crypto";

import type { Authenticator } from "./auth.ts";
import { HttpError } from "./errors.ts";
import { type Identity, NOBODY } from "./identity.ts";

const BAD_ADMIN_KEY = "The provided admin key was invalid for this instance";

export class Callers {
  readonly #authenticator: Authenticator;
  readonly #adminKey: string;

  constructor(authenticator: Authenticator, adminKey: string) {
    this.#authenticator = authenticator;
    this.#adminKey = adminKey;
  }

  user(token: string): Promise<Identity> {
    return this.#authenticator.authenticate(token);
  }

  /** @param actingAs the user an administrator acts for, if any */
  admin(key: string, actingAs?: unknown): Identity {
    const given = Buffer.from(key);
    const own = Buffer.from(this.#adminKey);
    if (given.length !== own.length || !timingSafeEqual(given, own)) throw new HttpError(401, "BadAdminKey", BAD_ADMIN_KEY);
    if (typeof actingAs !== "object" || actingAs === null) return { kind: "admin", attributes: null };
    const attributes = actingAs as { tokenIdentifier?: string; issuer?: string; subject?: string };
    const tokenIdentifier = attributes.tokenIdentifier ?? `${attributes.issuer ?? ""}|${attributes.subject ?? ""}`;
    return { kind: "admin", attributes: { ...attributes, tokenIdentifier } };
  }

  /** The caller that an `Authorization` header names: `Bearer <token>` or `Convex <key>[:<base64 of a user>]`. */
  async fromHeader(header: string | undefined): Promise<Identity> {
    if (header === undefined || header.trim() === "") return NOBODY;
    const [, scheme, credentials] = /^(\S+)\s+(.*\S)\s*$/.exec(header) ?? [];
    if (credentials !== undefined && scheme?.toLowerCase() === "bearer") return this.user(credentials);
    if (credentials !== undefined && scheme?.toLowerCase() === "convex") {
      const colon = credentials.lastIndexOf(":");
      if (colon === -1) return this.admin(credentials);
      return this.admin(credentials.slice(0, colon), parseActingAs(credentials.slice(colon + 1)));
    }
    throw new HttpError(401, "InvalidAuthHeader", "Header must begin with `bearer `");
  }
}

function parseActingAs(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, "base64").toString()) as unknown;
  } catch {
    throw new HttpError(401, "InvalidActingAs", "The identity to act as could not be read.");
  }
}
