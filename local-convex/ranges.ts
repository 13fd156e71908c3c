/** From the conditions of `withIndex` to an interval of index keys. */

import { DeveloperError } from "./errors.ts";
import { decodeMaybe } from "./filters.ts";
import { afterPrefix, encodeKey } from "./keys.ts";
import { type Value, display } from "./values.ts";

export type RangeExpression = { type: "Eq" | "Gt" | "Gte" | "Lt" | "Lte"; fieldPath: string; value: unknown };
export type Interval = { lower: Buffer; upper: Buffer };

const DOCS = "https://docs.convex.dev/using/indexes";
const COMPARATORS = { Eq: "==", Gt: ">", Gte: ">=", Lt: "<", Lte: "<=" } as const;

type Bound = { value: Value | undefined; inclusive: boolean };
type Split = { equalities: Map<string, Value | undefined>; field: string | null; lower: Bound | null; upper: Bound | null };

function split(name: string, expressions: readonly RangeExpression[]): Split {
  const parts: Split = { equalities: new Map(), field: null, lower: null, upper: null };
  const alreadyDefined = (kind: string, expression: RangeExpression, value: Value | undefined): DeveloperError =>
    new DeveloperError(
      `Already defined ${kind} bound in index range. Can't add "${expression.fieldPath}" ${COMPARATORS[expression.type]} ${display(value)}.`,
    );
  for (const expression of expressions) {
    const value = decodeMaybe(expression.value);
    if (expression.type === "Eq") {
      if (parts.equalities.has(expression.fieldPath)) throw alreadyDefined("equality", expression, value);
      parts.equalities.set(expression.fieldPath, value);
      continue;
    }
    const side = expression.type === "Lt" || expression.type === "Lte" ? "upper" : "lower";
    if (parts[side] !== null) throw alreadyDefined(side, expression, value);
    if (parts.field !== null && parts.field !== expression.fieldPath) {
      throw new DeveloperError(
        `Upper and lower bounds in \`range\` can only be applied to a single index field. This query against index ${name} attempted to set a range bound on both "${parts.field}" and "${expression.fieldPath}". Consider using \`filter\` instead. See ${DOCS} for more info.`,
      );
    }
    parts.field = expression.fieldPath;
    parts[side] = { value, inclusive: expression.type === "Lte" || expression.type === "Gte" };
  }
  if (parts.field !== null && parts.equalities.has(parts.field)) {
    throw new DeveloperError(`Already defined inequality bound in index range. Can't add "${parts.field}" == ${display(parts.equalities.get(parts.field))}.`);
  }
  return parts;
}

/**
 * @param name of the index, `table.index`
 * @param fields of the index in order, `_creationTime` and `_id` at the end
 * @throws DeveloperError when the conditions do not follow the index
 */
export function compileRange(name: string, fields: readonly string[], expressions: readonly RangeExpression[]): Interval {
  const { equalities, field, lower, upper } = split(name, expressions);
  const used = [...equalities.keys(), ...(field === null ? [] : [field])];
  const indexed = `[${fields.slice(0, -1).map((path) => `"${path}"`).join(", ")}]`;
  for (const path of used) {
    if (!fields.includes(path)) {
      throw new DeveloperError(
        `The index range included a comparison with "${path}", but ${name} with fields ${indexed} doesn't index this field. For more information see ${DOCS}.`,
      );
    }
  }
  const inOrder = [...equalities.keys()].sort((left, right) => fields.indexOf(left) - fields.indexOf(right));
  for (const [position, path] of [...inOrder, ...(field === null ? [] : [field])].entries()) {
    if (fields[position] !== path) {
      throw new DeveloperError(
        `Tried to query index ${name} but the query didn't use the index fields in order.\nIndex fields: ${indexed}\nQuery fields: [${used.map((query) => `"${query}"`).join(", ")}]\nFirst incorrect field: "${path}"\nFor more information see ${DOCS}.`,
      );
    }
  }
  const prefix = encodeKey(inOrder.map((path) => equalities.get(path)));
  const bound = ({ value }: Bound): Buffer => Buffer.concat([prefix, encodeKey([value])]);
  return {
    lower: lower === null ? prefix : lower.inclusive ? bound(lower) : afterPrefix(bound(lower)),
    upper: upper === null ? afterPrefix(prefix) : upper.inclusive ? afterPrefix(bound(upper)) : bound(upper),
  };
}

const TEXT_TAG = 0x07;
const BEFORE_ALL_IDS = "";
const AFTER_ALL_IDS = "\u007f";

/** Turn a bound of the `by_id` index into one on the text of ids, which are kept as they are. */
export function idBound(key: Buffer): string {
  const [tag] = key;
  if (tag === undefined || tag < TEXT_TAG) return BEFORE_ALL_IDS;
  if (tag > TEXT_TAG) return AFTER_ALL_IDS;
  const end = key.indexOf(0, 1);
  const text = key.subarray(1, end).toString();
  // Something behind the terminator means: above this id.
  return key.length > end + 2 ? `${text}\0` : text;
}
