/** What of a raga's entry can be corrected, and what becomes of a correction. */
import { v } from "convex/values";

export const correctable = v.union(
  v.literal("name"),
  v.literal("aliases"),
  v.literal("scripts"),
  v.literal("arohana"),
  v.literal("avarohana"),
  v.literal("thaat"),
  v.literal("melakarta"),
  v.literal("parent"),
  v.literal("jati"),
  v.literal("vadi"),
  v.literal("samvadi"),
  v.literal("nyasa"),
  v.literal("pakad"),
  v.literal("prahar"),
  v.literal("time"),
  v.literal("season"),
  v.literal("rasa"),
  v.literal("mood"),
  v.literal("description"),
  v.literal("kin"),
  v.literal("notes"),
  v.literal("other"),
);

export const correctionStatus = v.union(v.literal("open"), v.literal("accepted"), v.literal("declined"));
