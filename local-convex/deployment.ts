/** Puts a deployment together: state, functions, engine, scheduler, server. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

import { ActionRunner } from "./actions.ts";
import { Authenticator } from "./auth.ts";
import { AUTH_MODULE, type Bundles, SCHEMA_MODULE, bundleFunctions } from "./bundle.ts";
import { Callers } from "./callers.ts";
import type { Catalog } from "./catalog.ts";
import { type CronJob, readCrons } from "./crons.ts";
import { CursorSeal } from "./cursors.ts";
import { type Connection, Database } from "./database.ts";
import { Engine } from "./engine.ts";
import { StartError, messageOf } from "./errors.ts";
import { Files } from "./files.ts";
import { HttpServer } from "./http.ts";
import { HTTP_MODULE, type Router, readRouter } from "./http_actions.ts";
import { Isolate, type Log } from "./isolate.ts";
import { Registry } from "./registry.ts";
import { EMPTY_SCHEMA, type Schema, readSchema } from "./schema.ts";
import { Scheduler } from "./scheduler.ts";
import { lockFolder, secretFile } from "./state_folder.ts";
import { Subscriptions } from "./subscriptions.ts";
import { checkValue } from "./validators.ts";
import { decodeFields } from "./values.ts";

export type Options = { functions: string; state: string; host: string; port: number; log: boolean };

const DEPLOYMENT_NAME = "local";
const CRONS_MODULE = "crons";

type NodeLoaders = Record<string, () => Promise<Record<string, unknown>>>;
type Loaded = { registry: Registry; schema: Schema; authConfig: unknown; crons: CronJob[]; actionBundle: string; router: Router | null };

function loadModule(path: string, load: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return load();
  } catch (thrown) {
    if (thrown instanceof StartError) throw thrown;
    throw new StartError(`The module ${path} failed while it was loaded: ${messageOf(thrown)}.`);
  }
}

async function loadFunctions(bundles: Bundles, isolate: Isolate, state: string): Promise<Loaded> {
  const loaders = isolate.load(bundles.isolate);
  const file = join(state, "actions.mjs");
  writeFileSync(file, bundles.actions);
  const actionBundle = pathToFileURL(file).href;
  const { loaders: nodeLoaders } = (await import(actionBundle)) as { loaders: NodeLoaders };
  const loaded: Loaded = { registry: new Registry(), schema: EMPTY_SCHEMA, authConfig: undefined, crons: [], actionBundle, router: null };
  for (const { path, usesNode } of bundles.modules) {
    let exports: Record<string, unknown>;
    if (usesNode) {
      try {
        exports = (await nodeLoaders[path]?.()) ?? {};
      } catch (thrown) {
        throw new StartError(`The module ${path} failed while it was loaded: ${messageOf(thrown)}.`);
      }
    } else {
      exports = loadModule(path, loaders[path] ?? (() => ({})));
    }
    if (path === SCHEMA_MODULE) {
      const exported = exports["default"] as { export?: () => string } | undefined;
      if (exported?.export === undefined) throw new StartError("schema.ts must export what defineSchema() gives as its default.");
      loaded.schema = readSchema(exported.export());
    } else if (path === AUTH_MODULE) {
      loaded.authConfig = exports["default"];
    } else {
      loaded.registry.add(path, exports, usesNode);
      if (path === HTTP_MODULE) loaded.router = readRouter(exports["default"]);
      if (path === CRONS_MODULE) loaded.crons = readCrons(exports["default"]);
    }
  }
  for (const { name, path } of loaded.crons) {
    if (loaded.registry.find(path) === undefined) throw new StartError(`crons.ts: "${name}" runs ${path}, which is not there.`);
  }
  return loaded;
}

/** Refuse to start on documents that the schema does not allow, unless this very schema was checked before. */
function checkDocuments(database: Database, connection: Connection, schema: Schema, catalog: Catalog): void {
  const fingerprint = JSON.stringify([schema.validate, [...schema.tables.values()].map(({ name, document }) => [name, document])]);
  if (database.meta("checked schema") === fingerprint) return;
  for (const definition of schema.validate ? schema.tables.values() : []) {
    const table = catalog.table(definition.name);
    if (table === undefined) continue;
    for (const row of connection.all("SELECT id, value FROM documents WHERE table_number = ?", table.number)) {
      const fields = decodeFields(JSON.parse(row["value"] as string));
      delete fields["_id"];
      delete fields["_creationTime"];
      const problem = checkValue(definition.document, fields, catalog.nameOf);
      if (problem !== null) {
        throw new StartError(`Document with ID "${row["id"] as string}" in table "${definition.name}" does not match the schema: ${problem}`);
      }
    }
  }
  database.setMeta("checked schema", fingerprint);
}

function logger(enabled: boolean): Log {
  if (!enabled) return () => undefined;
  return (level, args) => {
    const text = args.map((arg) => (typeof arg === "string" ? arg : inspect(arg))).join(" ");
    process.stderr.write(`[${level}] ${text}\n`);
  };
}

/**
 * Start a deployment.
 *
 * @returns its address and what stops it
 * @throws StartError with a sentence for the person at the terminal
 */
export async function startDeployment(options: Options): Promise<{ url: string; stop: () => void }> {
  const release = lockFolder(options.state);
  const server = new HttpServer();
  const closers: (() => void)[] = [release];
  const stop = (): void => {
    for (const close of closers.splice(0).reverse()) close();
  };
  try {
    const [bundles, port] = await Promise.all([bundleFunctions(options.functions), server.listen(options.host, options.port)]);
    closers.push(() => {
      server.close();
    });
    const host = options.host.includes(":") ? `[${options.host}]` : options.host;
    const url = `http://${host}:${String(port)}`;
    process.env["CONVEX_CLOUD_URL"] = url;
    process.env["CONVEX_SITE_URL"] = `${url}/http`;
    const log = logger(options.log);
    const isolate = new Isolate({ ...process.env }, log);
    const { registry, schema, authConfig, crons, actionBundle, router } = await loadFunctions(bundles, isolate, options.state);
    const callers = new Callers(new Authenticator(authConfig), secretFile(options.state, "admin_key"));
    const secret = secretFile(options.state, "secret");
    const database = new Database(options.state);
    closers.push(() => {
      database.close();
    });
    const files = new Files(join(options.state, "files"), secret);
    files.origin = url;
    files.sweep(database.writer);
    const engine = new Engine({ database, schema, registry, isolate, files, seal: new CursorSeal(secret), deploymentName: DEPLOYMENT_NAME });
    checkDocuments(database, database.writer, schema, engine.catalog);
    const subscriptions = new Subscriptions(engine);
    const actions = new ActionRunner(engine, actionBundle, log, options.log);
    closers.push(() => {
      actions.stop();
    });
    engine.actions = actions;
    const scheduler = new Scheduler(engine, crons);
    const notify = engine.onCommit;
    engine.onCommit = (writes, ts) => {
      notify(writes, ts);
      scheduler.wake();
    };
    closers.push(() => {
      scheduler.stop();
    });
    await scheduler.start();
    server.open({ engine, subscriptions, callers, actions, router });
    actions.warm();
    return { url, stop };
  } catch (thrown) {
    stop();
    throw thrown;
  }
}
