/** What `data.kind` can be: of a run, as its schema has it, or of a task. */

import { z } from "zod";

import { keysOf } from "../schema-walk.js";
import { runConfigSchema } from "../schema.js";
import { TASK_KINDS } from "./task-schema.js";

/** Kinds of data that a run trains on. */
export const RUN_DATA_KINDS: readonly string[] = [...keysOf(runConfigSchema)].flatMap(
  ({ path, schema }) =>
    path === "data.kind" && schema instanceof z.ZodLiteral ? [String(schema.value)] : [],
);

/** Those, and the tasks. */
export const ALL_DATA_KINDS: readonly string[] = [...RUN_DATA_KINDS, ...TASK_KINDS];

/** Whether a `data.kind` is one of a task. */
export function isTaskKind(kind: unknown): kind is (typeof TASK_KINDS)[number] {
  return TASK_KINDS.some((known) => known === kind);
}

/** `'a', 'b' or 'c'` */
export function listed(kinds: readonly string[]): string {
  const quoted = kinds.map((kind) => `'${kind}'`);
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}
