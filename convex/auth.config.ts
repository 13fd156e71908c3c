import type { AuthConfig } from "convex/server";

/**
 * A variable that may be absent. While Convex evaluates this file, reading an unset variable throws, and
 * `process.env` cannot be listed; asking and catching is the one way to have an optional provider.
 */
function optional(read: () => string | undefined): string | undefined {
  try {
    const value = read();
    return value === "" ? undefined : value;
  } catch {
    return undefined;
  }
}

const providers: AuthConfig["providers"] = [
  {
    // The bot's own tokens: chat accounts, the bot itself, its workers.
    type: "customJwt",
    issuer: process.env["RAGA_JWT_ISSUER"] ?? "",
    applicationID: "raga-bot",
    algorithm: "ES256",
    jwks: process.env["RAGA_JWT_JWKS"] ?? "",
  },
];

// A web front end's users, where one is set up. Its tokens never carry a role.
const domain = optional(() => process.env["RAGA_OIDC_ISSUER"]);
const applicationID = optional(() => process.env["RAGA_OIDC_CLIENT_ID"]);
if (domain !== undefined && applicationID !== undefined) {
  providers.push({ domain, applicationID });
}

export default { providers } satisfies AuthConfig;
