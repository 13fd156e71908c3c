"use node";

import { createHash } from "node:crypto";

import { v } from "convex/values";

import { action } from "./typed";

export const sha1 = action({ args: { text: v.string() }, handler: (_, { text }) => createHash("sha1").update(text).digest("hex") });
