/** The exported schema of a functions folder: tables, their indexes, their document validators. */

import { StartError } from "./errors.ts";
import type { Validator } from "./validators.ts";

export type IndexDefinition =
  | { kind: "database"; name: string; fields: string[] }
  | { kind: "search"; name: string; searchField: string; filterFields: string[] }
  | { kind: "vector"; name: string; vectorField: string; dimensions: number; filterFields: string[] };

export type TableDefinition = { name: string; indexes: IndexDefinition[]; document: Validator };
export type Schema = { tables: Map<string, TableDefinition>; validate: boolean };

export const EMPTY_SCHEMA: Schema = { tables: new Map(), validate: false };
const MAX_INDEXES_OF_A_TABLE = 64;
const MAX_INDEX_FIELDS = 16;
const RESERVED_INDEXES = new Set(["by_id", "by_creation_time"]);

type ExportedTable = {
  tableName: string;
  indexes?: { indexDescriptor: string; fields: string[] }[];
  searchIndexes?: { indexDescriptor: string; searchField: string; filterFields?: string[] }[];
  vectorIndexes?: { indexDescriptor: string; vectorField: string; dimensions: number; filterFields?: string[] }[];
  documentType: Validator;
};

function checkName(kind: string, name: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)) {
    throw new StartError(`The schema's ${kind} "${name}" is not allowed: use a letter, then up to 63 letters, digits and underscores.`);
  }
}

function readTable(exported: ExportedTable): TableDefinition {
  checkName("table name", exported.tableName);
  const indexes: IndexDefinition[] = [
    ...(exported.indexes ?? []).map((index) => ({
      kind: "database" as const,
      name: index.indexDescriptor,
      // Convex puts the creation time behind every index; a schema may spell it out.
      fields: index.fields.at(-1) === "_creationTime" ? index.fields.slice(0, -1) : index.fields,
    })),
    ...(exported.searchIndexes ?? []).map((index) => ({
      kind: "search" as const,
      name: index.indexDescriptor,
      searchField: index.searchField,
      filterFields: index.filterFields ?? [],
    })),
    ...(exported.vectorIndexes ?? []).map((index) => ({
      kind: "vector" as const,
      name: index.indexDescriptor,
      vectorField: index.vectorField,
      dimensions: index.dimensions,
      filterFields: index.filterFields ?? [],
    })),
  ];
  const seen = new Set<string>();
  for (const index of indexes) {
    checkName(`index name ${exported.tableName}.`, index.name);
    if (seen.has(index.name) || RESERVED_INDEXES.has(index.name)) {
      throw new StartError(`The schema's table "${exported.tableName}" has two indexes named "${index.name}".`);
    }
    seen.add(index.name);
    if (index.kind === "database" && (index.fields.length > MAX_INDEX_FIELDS || new Set(index.fields).size !== index.fields.length)) {
      throw new StartError(`The schema's index ${exported.tableName}.${index.name} must name up to ${String(MAX_INDEX_FIELDS)} different fields.`);
    }
  }
  if (indexes.length > MAX_INDEXES_OF_A_TABLE) {
    throw new StartError(`The schema's table "${exported.tableName}" has more than ${String(MAX_INDEXES_OF_A_TABLE)} indexes.`);
  }
  return { name: exported.tableName, indexes, document: exported.documentType };
}

/** Read what `SchemaDefinition.export()` gives. */
export function readSchema(exportedJson: string): Schema {
  const exported = JSON.parse(exportedJson) as { tables: ExportedTable[]; schemaValidation?: boolean };
  const tables = new Map<string, TableDefinition>();
  for (const table of exported.tables) tables.set(table.tableName, readTable(table));
  return { tables, validate: exported.schemaValidation !== false };
}
