import { httpActionGeneric as httpAction, httpRouter } from "convex/server";

const http = httpRouter();

http.route({
  path: "/echo",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const body = await request.text();
    const identity = await ctx.auth.getUserIdentity();
    const { pathname } = new URL(request.url);
    return Response.json({ body, pathname, subject: identity?.subject ?? null, count: await ctx.runQuery("jobs:count" as never, { name: "http" } as never) }, { status: 201, headers: { "X-Own": "yes" } });
  }),
});
http.route({
  pathPrefix: "/files/",
  method: "GET",
  handler: httpAction((_, request) => Promise.resolve(new Response(new URL(request.url).pathname))),
});
http.route({
  path: "/broken",
  method: "GET",
  handler: httpAction(() => Promise.reject(new Error("broken route"))),
});

http.route({
  path: "/stream",
  method: "GET",
  handler: httpAction(() => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        if (sent > 3) controller.close();
        else controller.enqueue(new TextEncoder().encode(`part ${String(sent)};`));
      },
    });
    const headers = new Headers({ "Content-Type": "text/plain" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    return Promise.resolve(new Response(body, { headers }));
  }),
});

export default http;
