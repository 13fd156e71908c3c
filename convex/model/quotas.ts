/** What a piece costs of the allowances of its user and its group: taken when it is asked for, given back when it fails. */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { refusal } from "../refusals";
import { allowance, enoughAt, giveBack, take, type Allowance } from "./allowances";
import { groupOf } from "./groups";

interface Cost {
  userId: Id<"users">;
  durationS: number;
  group?: string | undefined;
  /** How many an hour the group wants at most, if it has said so. */
  perHour?: number | undefined;
}

interface Part {
  name: Allowance;
  key: string;
  count: number;
  most?: number | undefined;
}

function partsOf({ userId, durationS, group, perHour }: Cost): Part[] {
  return [
    { name: "pieces", key: userId, count: 1 },
    { name: "seconds", key: userId, count: durationS },
    ...(group === undefined ? [] : [{ name: "group" as const, key: group, count: 1, most: perHour }]),
  ];
}

function soon(at: number): string {
  const minutes = Math.max(1, Math.ceil((at - Date.now()) / 60_000));
  if (minutes < 90) return `in ${String(minutes)} minute${minutes === 1 ? "" : "s"}`;
  return `in ${String(Math.ceil(minutes / 60))} hours`;
}

function counted(pieces: number): string {
  return `${String(pieces)} piece${pieces === 1 ? "" : "s"}`;
}

const WORDS: Partial<Record<Allowance, (of: number) => string>> = {
  pieces: (of) => `You have had ${counted(of)} within an hour.`,
  seconds: (of) => `You have had ${String(Math.round(of / 60))} minutes of music within a day.`,
  group: (of) => `${counted(of)} ${of === 1 ? "was" : "were"} made here within an hour.`,
};

/** Takes what a piece costs, or refuses it and says when there will be enough. */
export async function charge(ctx: MutationCtx, cost: Cost): Promise<void> {
  for (const { name, key, count, most } of partsOf(cost)) {
    const of = allowance(name, most).capacity;
    if (count > of) throw refusal("too_many", `A piece here may last ${String(Math.floor(of))} seconds at most.`);
    const at = await enoughAt(ctx, name, key, count, most);
    if (at !== null) {
      // A group's is the last one asked for: whoever gets so far has enough of their own.
      const instead = name === "group" ? "in a direct message you need not wait" : "/me shows what is left";
      throw refusal("too_many", `${WORDS[name]?.(of) ?? "That is a lot."} One like this can be made ${soon(at)}; ${instead}.`);
    }
  }
  for (const { name, key, count, most } of partsOf(cost)) await take(ctx, name, key, count, most);
}

/** Gives back what an unfinished piece has cost; its status is what makes it once. */
export async function refund(ctx: MutationCtx, piece: Doc<"musicGenerations">): Promise<void> {
  if (piece.status !== "processing") return;
  const { userId, group } = piece;
  const perHour = group === undefined ? undefined : (await groupOf(ctx, group))?.perHour;
  const cost = { userId, durationS: piece.request.duration, group, perHour };
  for (const { name, key, count, most } of partsOf(cost)) await giveBack(ctx, name, key, count, most);
}
