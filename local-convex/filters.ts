/** Filter expressions of queries (`q.and(q.gt(q.field("age"), 3), ...)`) in their serialized form. */

import { DeveloperError } from "./errors.ts";
import { compareValues } from "./keys.ts";
import { type Fields, type Value, decode, display, fieldAt, typeName } from "./values.ts";

type Result = Value | undefined;
export type Filter = (document: Fields) => Result;

const INT64_BITS = 64;
const OPERATOR_NAMES = { $add: "add", $sub: "subtract", $mul: "multiply", $div: "divide", $mod: "mod" } as const;
type Arithmetic = keyof typeof OPERATOR_NAMES;

const COMPARISONS: Record<string, (order: number) => boolean> = {
  $eq: (order) => order === 0,
  $neq: (order) => order !== 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

function integerArithmetic(operator: Arithmetic, left: bigint, right: bigint): bigint {
  if ((operator === "$div" || operator === "$mod") && right === 0n) {
    throw new DeveloperError(`Cannot ${OPERATOR_NAMES[operator]} ${String(left)} by zero`);
  }
  const results = { $add: () => left + right, $sub: () => left - right, $mul: () => left * right, $div: () => left / right, $mod: () => left % right };
  return BigInt.asIntN(INT64_BITS, results[operator]());
}

function floatArithmetic(operator: Arithmetic, left: number, right: number): number {
  const results = { $add: left + right, $sub: left - right, $mul: left * right, $div: left / right, $mod: left % right };
  return results[operator];
}

function arithmetic(operator: Arithmetic, left: Result, right: Result): Value {
  if (typeof left === "bigint" && typeof right === "bigint") return integerArithmetic(operator, left, right);
  if (typeof left === "number" && typeof right === "number") return floatArithmetic(operator, left, right);
  throw new DeveloperError(
    `Cannot ${OPERATOR_NAMES[operator]} ${display(left)} (type ${typeName(left)}) and ${display(right)} (type ${typeName(right)})`,
  );
}

function negate(value: Result): Value {
  if (typeof value === "bigint") return BigInt.asIntN(INT64_BITS, -value);
  if (typeof value === "number") return -value;
  throw new DeveloperError(`Cannot negate ${display(value)} (type ${typeName(value)})`);
}

function asBoolean(value: Result): boolean {
  if (typeof value === "boolean") return value;
  throw new DeveloperError(`Expected Boolean, got ${typeName(value)}: ${display(value)}`);
}

/** A literal, where `{$undefined: null}` stands for a missing field. */
export function decodeMaybe(json: unknown): Result {
  if (typeof json === "object" && json !== null && "$undefined" in json) return undefined;
  return decode(json);
}

function compileList(content: unknown): Filter[] {
  if (!Array.isArray(content)) throw new DeveloperError("Malformed filter: expected a list of expressions");
  return content.map(compileFilter);
}

function compilePair(content: unknown): [Filter, Filter] {
  const [left, right] = compileList(content);
  if (left === undefined || right === undefined) throw new DeveloperError("Malformed filter: expected two expressions");
  return [left, right];
}

/** Compile a serialized expression once, to run on many documents. */
export function compileFilter(json: unknown): Filter {
  const entries = typeof json === "object" && json !== null ? Object.entries(json as Record<string, unknown>) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) throw new DeveloperError("Malformed filter expression");
  const [operator, content] = entry;
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) {
    const [left, right] = compilePair(content);
    return (document) => comparison(compareValues(left(document), right(document)));
  }
  if (operator in OPERATOR_NAMES) {
    const [left, right] = compilePair(content);
    return (document) => arithmetic(operator as Arithmetic, left(document), right(document));
  }
  switch (operator) {
    case "$neg": {
      const operand = compileFilter(content);
      return (document) => negate(operand(document));
    }
    case "$not": {
      const operand = compileFilter(content);
      return (document) => !asBoolean(operand(document));
    }
    case "$and": {
      const operands = compileList(content);
      return (document) => operands.every((operand) => asBoolean(operand(document)));
    }
    case "$or": {
      const operands = compileList(content);
      return (document) => operands.some((operand) => asBoolean(operand(document)));
    }
    case "$field":
      if (typeof content !== "string") throw new DeveloperError("Malformed filter: a field path must be a string");
      return (document) => fieldAt(document, content);
    case "$literal": {
      const literal = decodeMaybe(content);
      return () => literal;
    }
    default:
      throw new DeveloperError(`Unknown filter operator ${operator}`);
  }
}

/** Whether a filter lets a document through. */
export function passes(filter: Filter, document: Fields): boolean {
  return asBoolean(filter(document));
}
