/** Checks tokens against the providers of `auth.config.ts`: signed JWTs of an issuer (`customJwt`) and OpenID Connect. */

import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors as joseErrors, jwtVerify, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from "jose";

import { HttpError, StartError } from "./errors.ts";
import type { Identity } from "./identity.ts";

type Provider = { kind: "customJwt" | "oidc"; issuer: string; applicationId: string | null; algorithms: string[]; keys: () => Promise<JWTVerifyGetKey> };

const LEEWAY_S = 5;
const CACHED_TOKENS = 1_000;
const DISCOVERY_TIMEOUT_MS = 10_000;
const OIDC_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
// Claims that say nothing of the user, or change with every refresh of the token (fva: age of the last sign-in step).
const HOUSEKEEPING = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "fva"]);

/** Claims of OpenID Connect under the names that `ctx.auth.getUserIdentity()` gives them. */
const STANDARD_CLAIMS: Record<string, string> = {
  name: "name",
  given_name: "givenName",
  family_name: "familyName",
  nickname: "nickname",
  preferred_username: "preferredUsername",
  profile: "profileUrl",
  picture: "pictureUrl",
  website: "websiteUrl",
  email: "email",
  email_verified: "emailVerified",
  gender: "gender",
  birthdate: "birthday",
  zoneinfo: "timezone",
  locale: "language",
  phone_number: "phoneNumber",
  phone_number_verified: "phoneNumberVerified",
  updated_at: "updatedAt",
};

function trimSlash(text: string): string {
  return text.replace(/\/+$/, "");
}

/** Nested claims as `a.b`. */
function flatten(claims: Record<string, unknown>, prefix: string, into: Record<string, unknown>): void {
  for (const [name, claim] of Object.entries(claims)) {
    const path = `${prefix}${name}`;
    if (typeof claim === "object" && claim !== null && !Array.isArray(claim)) flatten(claim as Record<string, unknown>, `${path}.`, into);
    else into[path] = claim;
  }
}

function standardAttribute(name: string, claim: unknown): unknown {
  if (name === "updated_at" && typeof claim === "number") return new Date(claim * 1000).toISOString();
  return claim;
}

/**
 * What `ctx.auth.getUserIdentity()` gives for a token's claims.
 *
 * Claims of OpenID Connect get their camelCase names; those of a custom JWT keep the token's spelling, nested ones
 * joined by dots, and can be had under the camelCase name as well.
 */
export function attributesOf(claims: JWTPayload, kind: "customJwt" | "oidc"): Record<string, unknown> {
  const custom: Record<string, unknown> = {};
  const standard: Record<string, unknown> = {};
  for (const [name, claim] of Object.entries(claims)) {
    if (HOUSEKEEPING.has(name)) continue;
    const attribute = STANDARD_CLAIMS[name];
    if (attribute !== undefined && typeof claim !== "object") standard[attribute] = standardAttribute(name, claim);
    if (attribute === undefined || kind === "customJwt") custom[name] = claim;
  }
  if (kind === "oidc" && typeof custom["address"] === "object") {
    standard["address"] = (custom["address"] as { formatted?: unknown } | null)?.formatted;
    delete custom["address"];
  }
  const flat: Record<string, unknown> = {};
  flatten(custom, "", flat);
  // No claim can take the place of what says who the caller is.
  return {
    ...flat,
    ...standard,
    tokenIdentifier: `${claims.iss ?? ""}|${claims.sub ?? ""}`,
    issuer: claims.iss,
    subject: claims.sub,
  };
}

function readDataUri(uri: string): JSONWebKeySet {
  const [head, content] = uri.slice("data:".length).split(/,(.*)/s);
  const text = head?.endsWith(";base64") === true ? Buffer.from(content ?? "", "base64").toString() : decodeURIComponent(content ?? "");
  return JSON.parse(text) as JSONWebKeySet;
}

function keysAt(uri: string): () => Promise<JWTVerifyGetKey> {
  const keys = uri.startsWith("data:") ? createLocalJWKSet(readDataUri(uri)) : createRemoteJWKSet(new URL(uri));
  return () => Promise.resolve(keys as JWTVerifyGetKey);
}

function discoveredKeys(domain: string): () => Promise<JWTVerifyGetKey> {
  let found: Promise<JWTVerifyGetKey> | null = null;
  const discover = async (): Promise<JWTVerifyGetKey> => {
    const response = await fetch(`${trimSlash(domain)}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`discovery answered ${String(response.status)}`);
    const metadata = (await response.json()) as { issuer?: string; jwks_uri?: string };
    if (metadata.jwks_uri === undefined || trimSlash(metadata.issuer ?? "") !== trimSlash(domain)) throw new Error("discovery names another issuer");
    return createRemoteJWKSet(new URL(metadata.jwks_uri));
  };
  return () => {
    found ??= discover();
    // A failed discovery is tried again with the next token.
    found.catch(() => (found = null));
    return found;
  };
}

function readProvider(given: Record<string, unknown>, position: number): Provider {
  const text = (name: string): string => {
    const value = given[name];
    if (typeof value === "string" && value !== "") return value;
    throw new StartError(`auth.config.ts: provider ${String(position + 1)} has no ${name}; please set it (is an environment variable missing?).`);
  };
  const applicationId = typeof given["applicationID"] === "string" ? given["applicationID"] : null;
  try {
    if (given["type"] === "customJwt") {
      const algorithm = text("algorithm");
      if (algorithm !== "RS256" && algorithm !== "ES256") throw new StartError(`auth.config.ts: provider ${String(position + 1)} must use algorithm RS256 or ES256.`);
      return { kind: "customJwt", issuer: text("issuer"), applicationId, algorithms: [algorithm], keys: keysAt(text("jwks")) };
    }
    const issuer = withScheme(text("domain"));
    return { kind: "oidc", issuer, applicationId: text("applicationID"), algorithms: OIDC_ALGORITHMS, keys: discoveredKeys(issuer) };
  } catch (thrown) {
    if (thrown instanceof StartError) throw thrown;
    throw new StartError(`auth.config.ts: provider ${String(position + 1)} has keys (jwks) that cannot be read.`);
  }
}

function withScheme(domain: string): string {
  return /^https?:\/\//.test(domain) ? domain : `https://${domain}`;
}

function parse(token: string): { claims: JWTPayload; header: { alg?: string; kid?: string } } {
  try {
    return { claims: decodeJwt(token), header: decodeProtectedHeader(token) };
  } catch {
    throw new HttpError(401, "InvalidAuthHeader", "Could not parse as id token");
  }
}

const UNVERIFIED =
  "Could not verify OIDC token claim. Check that the token signature is valid and the token hasn't expired.";

export class Authenticator {
  readonly #providers: Provider[];
  readonly #verified = new Map<string, Identity & { kind: "user" }>();

  /** @param config the default export of auth.config.ts, undefined without that file */
  constructor(config: unknown) {
    const providers = (config as { providers?: unknown } | undefined)?.providers ?? [];
    if (!Array.isArray(providers)) throw new StartError("auth.config.ts must export { providers: [...] }.");
    this.#providers = providers.map((provider, position) => readProvider(provider as Record<string, unknown>, position));
  }

  /**
   * Who a token says its bearer is.
   *
   * @throws HttpError 401 for every token that does not hold
   */
  async authenticate(token: string): Promise<Identity & { kind: "user" }> {
    const known = this.#verified.get(token);
    if (known !== undefined && known.expiresMs + LEEWAY_S * 1000 > Date.now()) return known;
    const { claims, header } = parse(token);
    const audiences = typeof claims.aud === "string" ? [claims.aud] : (claims.aud ?? []);
    const provider = this.#providers.find(
      ({ issuer, applicationId }) =>
        trimSlash(claims.iss ?? "") === trimSlash(issuer) && (applicationId === null || audiences.includes(applicationId)),
    );
    if (provider === undefined) throw new HttpError(401, "NoAuthProvider", "No auth provider found matching the given token");
    // Convex needs the key's name in customJwt tokens; without it a key could only be guessed.
    if (provider.kind === "customJwt" && header.kid === undefined) throw new HttpError(401, "InvalidAuthHeader", "missing kid in the token's header");
    const identity = await this.#verify(token, provider);
    if (this.#verified.size >= CACHED_TOKENS) this.#verified.clear();
    this.#verified.set(token, identity);
    return identity;
  }

  async #verify(token: string, provider: Provider): Promise<Identity & { kind: "user" }> {
    try {
      const { payload } = await jwtVerify(token, await provider.keys(), {
        algorithms: provider.algorithms,
        clockTolerance: LEEWAY_S,
        requiredClaims: ["iss", "sub", "exp"],
        ...(provider.applicationId === null ? {} : { audience: provider.applicationId }),
      });
      if (payload.iat !== undefined && payload.iat > Date.now() / 1000 + LEEWAY_S) throw new joseErrors.JWTInvalid("issued in the future");
      return { kind: "user", attributes: attributesOf(payload, provider.kind), expiresMs: (payload.exp ?? 0) * 1000, token };
    } catch {
      throw new HttpError(401, "Unauthenticated", UNVERIFIED);
    }
  }
}

/** Tokens are good until a few seconds after their time. */
export function isExpired(identity: Identity): boolean {
  return identity.kind === "user" && identity.expiresMs + LEEWAY_S * 1000 < Date.now();
}
