/** Who calls: nobody, a user whose token was checked, or the deployment's own administrator. */

export type Identity =
  | { kind: "none" }
  | { kind: "user"; attributes: Record<string, unknown>; expiresMs: number; token: string | null }
  | { kind: "admin"; attributes: Record<string, unknown> | null };

export const NOBODY: Identity = { kind: "none" };

/** What `ctx.auth.getUserIdentity()` gives, as JSON. */
export function attributesJson(identity: Identity): string {
  return identity.kind === "none" || identity.attributes === null ? "null" : JSON.stringify(identity.attributes);
}

/** Two callers with the same key get the same answers. */
export function identityKey(identity: Identity): string {
  return `${identity.kind}:${attributesJson(identity)}`;
}
