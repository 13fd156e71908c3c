import { action, mutation, query } from "./typed";

export const me = query({ args: {}, handler: async (ctx) => ctx.auth.getUserIdentity() });
export const meFromMutation = mutation({ args: {}, handler: async (ctx) => ctx.auth.getUserIdentity() });
export const meFromAction = action({
  args: {},
  handler: async (ctx): Promise<unknown> => {
    const [own, nested] = await Promise.all([ctx.auth.getUserIdentity(), ctx.runQuery("callers:me" as never)]);
    return [own, nested];
  },
});
