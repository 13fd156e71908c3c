/** Validators (`v.object({...})`) in the JSON form that functions and schemas export, and the backend's messages. */

import { decodeId } from "./ids.ts";
import { type Json, type Value, decode, display, isFields } from "./values.ts";

export type FieldValidator = { fieldType: Validator; optional: boolean };
export type Validator =
  | { type: "null" | "number" | "bigint" | "boolean" | "string" | "bytes" | "any" | "commitTs" }
  | { type: "literal"; value: Json }
  | { type: "id"; tableName: string }
  | { type: "array"; value: Validator }
  | { type: "record"; keys: Validator; values: FieldValidator }
  | { type: "object"; value: Record<string, FieldValidator> }
  | { type: "union"; value: Validator[] };

/** Name of a table by its number, undefined for a number that no table has. */
export type TableNames = (table: number) => string | undefined;

const SIMPLE_NAMES = {
  null: "v.null()",
  number: "v.float64()",
  bigint: "v.int64()",
  boolean: "v.boolean()",
  string: "v.string()",
  bytes: "v.bytes()",
  any: "v.any()",
  commitTs: "v.commitTs()",
} as const;

function displayLiteral(json: Json): string {
  const value = decode(json);
  if (typeof value === "bigint") return "<bigint>";
  if (typeof value === "number") return Number.isFinite(value) ? display(value) : "<number>";
  return JSON.stringify(value);
}

function displayField(field: FieldValidator): string {
  const shown = displayValidator(field.fieldType);
  return field.optional ? `v.optional(${shown})` : shown;
}

export function displayValidator(validator: Validator): string {
  switch (validator.type) {
    case "literal":
      return `v.literal(${displayLiteral(validator.value)})`;
    case "id":
      return `v.id("${validator.tableName}")`;
    case "array":
      return `v.array(${displayValidator(validator.value)})`;
    case "record":
      return `v.record(${displayValidator(validator.keys)}, ${displayField(validator.values)})`;
    case "object": {
      const names = Object.keys(validator.value).sort();
      return `v.object({${names.map((name) => `${name}: ${displayField(validator.value[name] as FieldValidator)}`).join(", ")}})`;
    }
    case "union":
      return `v.union(${validator.value.map(displayValidator).join(", ")})`;
    default:
      return SIMPLE_NAMES[validator.type];
  }
}

function pathLine(path: string): string {
  return path === "" ? "" : `Path: ${path}`;
}

function noMatch(validator: Validator, value: Value, path: string): string {
  return `Value does not match validator.\n${pathLine(path)}\nValue: ${display(value)}\nValidator: ${displayValidator(validator)}`;
}

function checkId(validator: Validator & { type: "id" }, value: Value, tables: TableNames, path: string): string | null {
  if (typeof value !== "string") return noMatch(validator, value, path);
  const id = decodeId(value);
  const table = "error" in id ? undefined : tables(id.table);
  if (table === undefined) return noMatch(validator, value, path);
  if (table === validator.tableName) return null;
  const found = table.startsWith("_") ? "a system table" : `table \`${table}\``;
  return `Found ID "${value}" from ${found}, which does not match the table name in validator \`v.id("${validator.tableName}")\`.${pathLine(path)}`;
}

function checkObject(validator: Validator & { type: "object" }, value: Value, tables: TableNames, path: string): string | null {
  if (!isFields(value)) return noMatch(validator, value, path);
  const context = (): string => `\n${pathLine(path)}\nObject: ${display(value)}\nValidator: ${displayValidator(validator)}`;
  for (const name of Object.keys(validator.value).sort()) {
    const field = validator.value[name] as FieldValidator;
    const content = value[name];
    if (content !== undefined) {
      const problem = checkValue(field.fieldType, content, tables, `${path}.${name}`);
      if (problem !== null) return problem;
    } else if (!field.optional) {
      return `Object is missing the required field \`${name}\`. Consider wrapping the field validator in \`v.optional(...)\` if this is expected.${context()}`;
    }
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(validator.value, name)) {
      return `Object contains extra field \`${name}\` that is not in the validator.${context()}`;
    }
  }
  return null;
}

function checkRecord(validator: Validator & { type: "record" }, value: Value, tables: TableNames, path: string): string | null {
  if (!isFields(value)) return noMatch(validator, value, path);
  for (const name of Object.keys(value)) {
    const problem =
      checkValue(validator.keys, name, tables, `${path}.keys()`) ??
      checkValue(validator.values.fieldType, value[name] as Value, tables, `${path}.values()`);
    if (problem !== null) return problem;
  }
  return null;
}

function matchesSimple(type: keyof typeof SIMPLE_NAMES, value: Value): boolean {
  switch (type) {
    case "any":
      return true;
    case "null":
      return value === null;
    case "bytes":
      return value instanceof Uint8Array;
    case "commitTs":
      return typeof value === "bigint";
    default:
      return typeof value === type;
  }
}

function checkLiteral(validator: Validator & { type: "literal" }, value: Value, path: string): string | null {
  if (Object.is(decode(validator.value), value)) return null;
  return `\`${display(value)}\` does not match literal validator \`${displayValidator(validator)}\`.${pathLine(path)}`;
}

/** Check a value; null when it matches, otherwise the message that the backend would give. */
export function checkValue(validator: Validator, value: Value, tables: TableNames, path = ""): string | null {
  switch (validator.type) {
    case "literal":
      return checkLiteral(validator, value, path);
    case "id":
      return checkId(validator, value, tables, path);
    case "array":
      if (!Array.isArray(value)) return noMatch(validator, value, path);
      for (const [index, item] of value.entries()) {
        const problem = checkValue(validator.value, item, tables, `${path}[${String(index)}]`);
        if (problem !== null) return problem;
      }
      return null;
    case "record":
      return checkRecord(validator, value, tables, path);
    case "object":
      return checkObject(validator, value, tables, path);
    case "union": {
      const [only] = validator.value;
      if (validator.value.length === 1 && only !== undefined) return checkValue(only, value, tables, path);
      const matches = validator.value.some((option) => checkValue(option, value, tables, path) === null);
      return matches ? null : noMatch(validator, value, path);
    }
    default:
      return matchesSimple(validator.type, value) ? null : noMatch(validator, value, path);
  }
}
