/** The functions of the folder: what they are, who may call them, what they take and give. */

import { DeveloperError, HttpError, StartError, messageOf } from "./errors.ts";
import type { Validator } from "./validators.ts";

export type FunctionType = "query" | "mutation" | "action" | "httpAction";
export type FunctionInfo = {
  module: string;
  name: string;
  type: FunctionType;
  isPublic: boolean;
  args: Validator;
  returns: Validator | null;
  /** The exported function of the isolate; actions are taken from their own bundle when they run. */
  exported: ExportedFunction;
};

export type ExportedFunction = {
  isQuery?: boolean;
  isMutation?: boolean;
  isAction?: boolean;
  isHttp?: boolean;
  isPublic?: boolean;
  exportArgs?: () => string;
  exportReturns?: () => string;
  invokeQuery?: (args: string) => Promise<string>;
  invokeMutation?: (args: string) => Promise<string>;
  invokeAction?: (requestId: string, args: string) => Promise<string>;
};

export const TYPE_NAMES: Record<FunctionType, string> = { query: "Query", mutation: "Mutation", action: "Action", httpAction: "HttpAction" };
const HANDLE_PREFIX = "function://;";
const MAX_SHOWN_LENGTH = 100;
const ANY: Validator = { type: "any" };

/** `dir/module.js:name` or `dir/module` as `dir/module:name`. */
export function canonicalPath(path: string): string {
  const colon = path.lastIndexOf(":");
  const module = colon === -1 ? path : path.slice(0, colon);
  const name = colon === -1 ? "default" : path.slice(colon + 1);
  return `${module.replace(/\.js$/, "")}:${name}`;
}

/** Check the spelling of a path that came from outside. */
export function parsePath(path: unknown): string {
  if (typeof path === "string" && /^[A-Za-z0-9_.\-/]+(:[A-Za-z0-9_$]+)?$/.test(path) && !/^\/|\.\.|\/\//.test(path) && path.length <= 512) {
    return canonicalPath(path);
  }
  const shown = typeof path === "string" ? JSON.stringify(path.slice(0, MAX_SHOWN_LENGTH)) : `A value of type ${typeof path}`;
  throw new HttpError(400, "BadConvexFunctionIdentifier", `${shown} is not a valid path to a Convex function, such as "messages:list".`);
}

export function handleOf(path: string): string {
  return `${HANDLE_PREFIX}${path}`;
}

type Address = { name?: string; reference?: string; functionHandle?: string; udfPath?: string };

/** The path a function reference, a function handle or a name in a syscall's arguments stands for. */
export function resolveAddress({ name, reference, functionHandle, udfPath }: Address): string {
  if (functionHandle !== undefined) {
    if (!functionHandle.startsWith(HANDLE_PREFIX)) throw new DeveloperError("Invalid function handle");
    return canonicalPath(functionHandle.slice(HANDLE_PREFIX.length));
  }
  const path = name ?? udfPath;
  if (path !== undefined) return canonicalPath(path);
  throw new DeveloperError(`${reference ?? "This reference"} points into a component; this local deployment has no components.`);
}

function typeOf(exported: ExportedFunction): FunctionType | null {
  if (exported.isQuery === true) return "query";
  if (exported.isMutation === true) return "mutation";
  if (exported.isAction === true) return "action";
  return exported.isHttp === true ? "httpAction" : null;
}

export class Registry {
  readonly #functions = new Map<string, FunctionInfo>();
  readonly #modules = new Set<string>();

  /** Take in the functions that a module exports. */
  add(module: string, exports: Record<string, unknown>, usesNode: boolean): void {
    this.#modules.add(module);
    for (const [name, value] of Object.entries(exports)) {
      if ((typeof value !== "function" && typeof value !== "object") || value === null) continue;
      const exported = value as ExportedFunction;
      const type = typeOf(exported);
      if (type === null) continue;
      if (usesNode && (type === "query" || type === "mutation")) {
        throw new StartError(`${module}:${name} is a ${type} in a file that says "use node"; only actions can be there. Please move it to another file.`);
      }
      try {
        this.#functions.set(`${module}:${name}`, {
          module,
          name,
          type,
          isPublic: type === "httpAction" || exported.isPublic === true,
          args: (JSON.parse(exported.exportArgs?.() ?? "null") as Validator | null) ?? ANY,
          returns: JSON.parse(exported.exportReturns?.() ?? "null") as Validator | null,
          exported,
        });
      } catch (thrown) {
        throw new StartError(`The validators of ${module}:${name} are broken: ${messageOf(thrown)}`);
      }
    }
  }

  find(path: string): FunctionInfo | undefined {
    return this.#functions.get(path);
  }

  hasModule(module: string): boolean {
    return this.#modules.has(module);
  }

  all(): IterableIterator<FunctionInfo> {
    return this.#functions.values();
  }
}
