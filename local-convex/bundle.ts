/** Finds the modules of a functions folder and bundles them: once for queries and mutations, once for actions. */

import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import * as esbuild from "esbuild";

import { StartError } from "./errors.ts";

export type SourceModule = { path: string; file: string; usesNode: boolean };
export type Bundles = { modules: SourceModule[]; isolate: string; actions: string };

export const SCHEMA_MODULE = "schema";
export const AUTH_MODULE = "auth.config";
const EXTENSIONS = new Set([".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs", ".cts", ".cjs"]);
const USE_NODE = /^(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*["']use node["']/;

function isModuleName(name: string): boolean {
  const stem = name.slice(0, -extname(name).length);
  // As Convex: names with a further dot (a.test.ts, a.d.ts) and odd ones are no modules.
  return EXTENSIONS.has(extname(name)) && !stem.includes(".") && !name.startsWith("#") && !name.includes(" ");
}

function findModules(folder: string): SourceModule[] {
  const found: SourceModule[] = [];
  const walk = (within: string): void => {
    for (const entry of readdirSync(within, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1))) {
      if (entry.name.startsWith(".") || entry.name === "node_modules" || entry.name === "_generated") continue;
      const file = join(within, entry.name);
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && statSync(file, { throwIfNoEntry: false })?.isDirectory() === true);
      if (isFolder) {
        walk(file);
        continue;
      }
      const isAuth = within === folder && /^auth\.config\.[cm]?[jt]sx?$/.test(entry.name);
      if (!isAuth && !isModuleName(entry.name)) continue;
      const path = relative(folder, file).split(sep).join("/");
      found.push({ path: path.slice(0, -extname(path).length), file, usesNode: USE_NODE.test(readFileSync(file, "utf8")) });
    }
  };
  walk(folder);
  return found;
}

function refuseComponents(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/^convex\.config\.[cm]?[jt]s$/.test(name)) continue;
    if (/\.use\s*\(/.test(readFileSync(join(folder, name), "utf8"))) {
      throw new StartError(`${name} installs components with app.use(...), which this local deployment does not have; use Convex itself for that.`);
    }
  }
}

const ownFolder = fileURLToPath(new URL(".", import.meta.url));

function options(folder: string): esbuild.BuildOptions & { write: false } {
  return {
    bundle: true,
    write: false,
    logLevel: "silent",
    target: "es2024",
    conditions: ["convex", "module"],
    absWorkingDir: folder,
    // The folder's own packages come first; ours stand in for what it has not installed.
    nodePaths: [resolve(ownFolder, "..", "node_modules")],
    charset: "utf8",
  };
}

async function build(folder: string, contents: string, extra: esbuild.BuildOptions): Promise<string> {
  try {
    const result = await esbuild.build({ ...options(folder), ...extra, stdin: { contents, resolveDir: folder, sourcefile: "entry.js", loader: "js" } });
    return result.outputFiles?.[0]?.text ?? "";
  } catch (thrown) {
    const errors = (thrown as { errors?: esbuild.Message[] }).errors;
    if (errors === undefined) throw thrown;
    const shown = await esbuild.formatMessages(errors, { kind: "error", color: false });
    throw new StartError(`The functions in ${folder} cannot be bundled; please correct this first:\n${shown.join("\n").trim()}`);
  }
}

function loaders(modules: readonly SourceModule[], load: (file: string) => string): string {
  return `{${modules.map(({ path, file }) => `${JSON.stringify(path)}: () => ${load(JSON.stringify(file))}`).join(",\n")}}`;
}

/**
 * Bundle a functions folder.
 *
 * @throws StartError naming the folder or quoting esbuild
 */
export async function bundleFunctions(folderGiven: string): Promise<Bundles> {
  if (!existsSync(folderGiven) || !statSync(folderGiven).isDirectory()) {
    throw new StartError(`The functions folder ${folderGiven} does not exist; name the folder that holds your Convex functions with --functions.`);
  }
  const folder = realpathSync(folderGiven);
  refuseComponents(folder);
  const modules = findModules(folder).filter(({ file }) => !basename(file).startsWith("convex.config."));
  const inIsolate = modules.filter((module) => !module.usesNode);
  const inActions = modules.filter(({ path }) => path !== SCHEMA_MODULE && path !== AUTH_MODULE);
  const globals = JSON.stringify(join(ownFolder, "isolate_globals.ts"));
  const requireAt = JSON.stringify(pathToFileURL(join(folder, "entry.js")).href);
  const [isolate, actions] = await Promise.all([
    build(folder, `require(${globals});\nglobalThis.__loaders = ${loaders(inIsolate, (file) => `require(${file})`)};`, {
      format: "iife",
      platform: "browser",
    }),
    build(folder, `export const loaders = ${loaders(inActions, (file) => `import(${file})`)};`, {
      format: "esm",
      platform: "node",
      banner: { js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(${requireAt});` },
    }),
  ]);
  await esbuild.stop();
  return { modules, isolate, actions };
}
