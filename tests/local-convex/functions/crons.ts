import { cronJobs } from "convex/server";

const crons = cronJobs();

crons.interval("count at once, then each hour", { hours: 1 }, "jobs:increment" as never, { name: "cron" } as never);
crons.cron("never during a test", "0 0 29 2 *", "jobs:increment" as never, { name: "leap day" } as never);
crons.daily("in the night", { hourUTC: 3 }, "jobs:act" as never, { name: "daily" } as never);

export default crons;
