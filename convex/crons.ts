import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";

const crons = cronJobs();

// A lease lasts 90 seconds: a piece whose worker died is taken up again within four minutes.
crons.interval("requeue pieces whose worker died", { minutes: 2 }, internal.jobs.requeueExpired, {});
crons.interval("forget old idempotency keys", { hours: 6 }, internal.cleanup.purgeReplays, {});
crons.interval("forget old deliveries", { hours: 12 }, internal.cleanup.purgeDeliveries, {});
crons.interval("delete files that no piece refers to", { hours: 24 }, internal.cleanup.purgeFiles, {});
crons.interval("forget links that ended", { hours: 6 }, internal.cleanup.purgeLinks, {});
crons.interval("make links final", { hours: 1 }, internal.cleanup.settleMerges, {});
crons.interval("give up notices", { hours: 24 }, internal.cleanup.purgeNotices, {});
crons.interval("forget allowances that are full again", { hours: 24 }, internal.cleanup.purgeAllowances, {});
crons.interval("forget invitations that ran out", { hours: 24 }, internal.cleanup.purgeInvites, {});
crons.interval("forget old audit rows", { hours: 24 }, internal.cleanup.purgeAudit, {});
crons.interval("take up deletions again", { minutes: 15 }, internal.privacy.resume, {});

export default crons;
