/**
 * Who calls, and what they may. Every public function is made by one of the wrappers below and by nothing else
 * (tests/convex/security.test.ts keeps this), so that each begins with a check of its caller.
 *
 * Identity comes from the token alone. Roles count only in tokens of the bot's own issuer; whoever another
 * provider vouches for is a plain user, whatever their token claims.
 */
import type { Auth, RegisteredMutation, RegisteredQuery, UserIdentity } from "convex/server";
import type { GenericValidator, Infer, ObjectType, PropertyValidators } from "convex/values";
import { mutation, query, type MutationCtx, type QueryCtx } from "./_generated/server";
import { NAME_MAX } from "./limits";
import { groupKey } from "./model/groups";
import { forbidden, notAuthenticated } from "./refusals";

export interface UserCaller {
  /** Unique over all providers: the subject of the bot's tokens, Convex's token identifier of others. */
  account: string;
  platform: string;
  name?: string;
  /** Only where the provider says that it was verified. */
  email?: string;
  /** The bot through which they speak; absent for a front end of their own. */
  bot?: string;
}

export interface BotCaller {
  bot: string;
}

export interface WorkerCaller {
  /** The token's subject, `worker:<name>`. */
  worker: string;
}

/** A person whom the bot's operator has named curator of the catalogue. */
export interface CuratorCaller {
  /** The token's subject, such as `discord:123`. */
  curator: string;
}

/** A person who looks after a server or group: the bot looked up, when it signed their token, that they may. */
export interface GroupAdminCaller extends UserCaller {
  bot: string;
  /** As in `discord:42`. */
  group: string;
}

/** The bot's chat accounts: a platform, a colon, an id without the bar that parts issuer and subject elsewhere. */
const CHAT_ACCOUNT = /^([a-z][a-z0-9_-]{0,31}):[^|]{1,200}$/;

interface WithAuth {
  auth: Auth;
}

function claim(identity: UserIdentity, name: string): string | undefined {
  const value = identity[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function identityOf(ctx: WithAuth): Promise<UserIdentity> {
  const identity = await ctx.auth.getUserIdentity();
  if (identity === null) throw notAuthenticated();
  return identity;
}

function signedByTheBot(identity: UserIdentity): boolean {
  const issuer = process.env["RAGA_JWT_ISSUER"];
  return issuer !== undefined && issuer !== "" && identity.issuer === issuer;
}

async function expectRole(ctx: WithAuth, role: "bot" | "worker"): Promise<UserIdentity> {
  const identity = await identityOf(ctx);
  if (!signedByTheBot(identity) || claim(identity, "role") !== role) {
    throw forbidden(`Only a ${role} may do this.`);
  }
  return identity;
}

/** Lets everybody in, with or without a token. It reads no identity, so that Convex shares the cached answer. */
function anyone(): Promise<null> {
  return Promise.resolve(null);
}

async function user(ctx: WithAuth): Promise<UserCaller> {
  const identity = await identityOf(ctx);
  // Cut between two characters: half of one is no text, and Convex would refuse to store it.
  const name = claim(identity, "name")?.slice(0, NAME_MAX).replace(/[\uD800-\uDBFF]$/, "");
  const named = name === undefined ? {} : { name };
  if (!signedByTheBot(identity)) {
    const email = identity.emailVerified === true ? claim(identity, "email") : undefined;
    return {
      account: identity.tokenIdentifier,
      platform: "oidc",
      ...named,
      ...(email === undefined ? {} : { email }),
    };
  }
  const platform = CHAT_ACCOUNT.exec(identity.subject)?.[1];
  if (claim(identity, "role") !== "user" || platform === undefined) {
    throw forbidden("Only a person may do this.");
  }
  const bot = claim(identity, "bot");
  return { account: identity.subject, platform, ...named, ...(bot === undefined ? {} : { bot }) };
}

async function bot(ctx: WithAuth): Promise<BotCaller> {
  const id = claim(await expectRole(ctx, "bot"), "bot");
  if (id === undefined) throw forbidden("This token does not say which bot it belongs to.");
  return { bot: id };
}

async function worker(ctx: WithAuth): Promise<WorkerCaller> {
  const { subject } = await expectRole(ctx, "worker");
  if (!subject.startsWith("worker:")) throw forbidden("This token does not say which worker it belongs to.");
  return { worker: subject };
}

/** The bot, for whatever it needs; anyone else as the user they are. */
async function userOrBot(ctx: WithAuth): Promise<UserCaller | BotCaller> {
  const identity = await identityOf(ctx);
  return signedByTheBot(identity) && claim(identity, "role") === "bot" ? bot(ctx) : user(ctx);
}

/** The bot, for its operator; and persons whose token says that they are curators. */
async function curatorOrBot(ctx: WithAuth): Promise<CuratorCaller | BotCaller> {
  const caller = await userOrBot(ctx);
  if (!("account" in caller)) return caller;
  const identity = await identityOf(ctx);
  if (!signedByTheBot(identity) || identity["curator"] !== true) throw forbidden("Only a curator may do this.");
  return { curator: caller.account };
}

/** A person whose token says which group of their own platform they look after. */
async function groupAdmin(ctx: WithAuth): Promise<GroupAdminCaller> {
  const caller = await user(ctx);
  const identity = await identityOf(ctx);
  const group = signedByTheBot(identity) ? claim(identity, "admin") : undefined;
  const { bot } = caller;
  if (group?.startsWith(`${caller.platform}:`) !== true || bot === undefined) {
    throw forbidden("Only somebody who looks after this group may do this.");
  }
  return { ...caller, bot, group };
}

/** The key of the group that is named in the arguments too; one that is not the caller's is a mistake or an attack. */
export function expectOwnGroup(caller: GroupAdminCaller, guild: string): string {
  if (caller.group !== `${caller.platform}:${guild}`) throw forbidden("Only somebody who looks after this group may do this.");
  return groupKey(caller.bot, caller.platform, guild);
}

/** Who decided something: a curator's account, or the bot's. */
export function accountOf(caller: CuratorCaller | BotCaller): string {
  return "curator" in caller ? caller.curator : `bot:${caller.bot}`;
}

/** A worker names itself in its arguments too; a name that is not its own is a mistake or an attack. */
export function expectOwnName(caller: WorkerCaller, named: string): void {
  if (caller.worker !== named) throw forbidden("This token belongs to another worker.");
}

interface Definition<Ctx, Caller, Args extends PropertyValidators, Returns extends GenericValidator> {
  args: Args;
  returns: Returns;
  handler: (ctx: Ctx, args: ObjectType<Args>, caller: Caller) => Promise<Infer<Returns>>;
}

// The return types below are Convex's own aliases, written out: its `api` finds a function's arguments and result by
// the alias, and under a name of ours both would be lost to every client.
function queryFor<Caller>(check: (ctx: QueryCtx) => Promise<Caller>) {
  return <Args extends PropertyValidators, Returns extends GenericValidator>(
    definition: Definition<QueryCtx, Caller, Args, Returns>,
  ): RegisteredQuery<"public", ObjectType<Args>, Promise<Infer<Returns>>> =>
    query({
      args: definition.args,
      returns: definition.returns,
      handler: async (ctx: QueryCtx, args: ObjectType<Args>) => {
        const caller = await check(ctx);
        return definition.handler(ctx, args, caller);
      },
    });
}

function mutationFor<Caller>(check: (ctx: MutationCtx) => Promise<Caller>) {
  return <Args extends PropertyValidators, Returns extends GenericValidator>(
    definition: Definition<MutationCtx, Caller, Args, Returns>,
  ): RegisteredMutation<"public", ObjectType<Args>, Promise<Infer<Returns>>> =>
    mutation({
      args: definition.args,
      returns: definition.returns,
      handler: async (ctx: MutationCtx, args: ObjectType<Args>) => {
        const caller = await check(ctx);
        return definition.handler(ctx, args, caller);
      },
    });
}

export const anyoneQuery = queryFor(anyone);
export const userQuery = queryFor(user);
export const userMutation = mutationFor(user);
export const botQuery = queryFor(bot);
export const botMutation = mutationFor(bot);
export const workerMutation = mutationFor(worker);
export const userOrBotQuery = queryFor(userOrBot);
export const curatorOrBotQuery = queryFor(curatorOrBot);
export const curatorOrBotMutation = mutationFor(curatorOrBot);
export const groupAdminQuery = queryFor(groupAdmin);
export const groupAdminMutation = mutationFor(groupAdmin);
