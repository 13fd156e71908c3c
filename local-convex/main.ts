/** `node local-convex/main.ts --functions DIR --port P --state DIR`: a Convex deployment on this machine. */

import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { startDeployment } from "./deployment.ts";
import { StartError, messageOf } from "./errors.ts";

const USAGE = `Usage: node local-convex/main.ts --functions DIR --state DIR [--port P] [--host 127.0.0.1] [--log] [--exit-with-stdin]

  --functions DIR    the folder with your Convex functions (convex/)
  --state DIR        where data, files and keys are kept
  --port P           0, the default, picks a free one
  --host HOST        127.0.0.1, ::1 or localhost; nothing else is allowed
  --log              write what functions print with console.log
  --exit-with-stdin  stop when standard input ends, as it does when the parent process dies
`;
const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

function readOptions(): { functions: string; state: string; host: string; port: number; log: boolean; exitWithStdin: boolean } {
  let values: { [name: string]: string | boolean | undefined };
  try {
    ({ values } = parseArgs({
      options: {
        functions: { type: "string" },
        state: { type: "string" },
        port: { type: "string", default: "0" },
        host: { type: "string", default: "127.0.0.1" },
        log: { type: "boolean", default: false },
        "exit-with-stdin": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (thrown) {
    throw new StartError(`${messageOf(thrown)}\n\n${USAGE}`);
  }
  if (values["help"] === true) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const { functions, state, host, port } = values;
  if (typeof functions !== "string" || typeof state !== "string") throw new StartError(`Please say where the functions are and where to keep the data.\n\n${USAGE}`);
  if (typeof host !== "string" || !LOOPBACK.has(host)) {
    throw new StartError(`This deployment is only for this machine: --host must be 127.0.0.1, ::1 or localhost, not ${String(host)}.`);
  }
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new StartError(`--port must be a number from 0 to 65535, not ${String(port)}.`);
  return { functions: resolve(functions), state: resolve(state), host, port: number, log: values["log"] === true, exitWithStdin: values["exit-with-stdin"] === true };
}

async function main(): Promise<void> {
  // A promise that a function forgot must not take the deployment with it.
  process.on("unhandledRejection", (reason) => process.stderr.write(`a promise was rejected and nobody listened: ${messageOf(reason)}\n`));
  let stop: () => void = () => undefined;
  const leave = (): void => {
    stop();
    process.exit(0);
  };
  process.on("SIGINT", leave);
  process.on("SIGTERM", leave);
  const options = readOptions();
  if (options.exitWithStdin) {
    process.stdin.on("end", leave).on("error", leave).resume();
  }
  const deployment = await startDeployment(options);
  ({ stop } = deployment);
  process.stdout.write(`Convex is listening at ${deployment.url}\n`);
}

main().catch((thrown: unknown) => {
  process.stderr.write(thrown instanceof StartError ? `${thrown.message}\n` : `The deployment could not start: ${messageOf(thrown)}\n`);
  process.exit(1);
});
