/** Which results are computed a second time although nothing is wrong with them. Pure. */

import { createHash } from "node:crypto";

export interface AuditPlanOptions {
  /** Known to nobody who may be audited: who knew when would be right just then. */
  readonly secret: string;
  /** One step of so many is audited; null: none. */
  readonly everySteps: number | null;
  readonly numLeaves: number;
}

/**
 * The leaf whose node is audited in this step, if there is one.
 *
 * Of each `everySteps` steps one, at a place that differs from time to time, and in it one leaf: both follow
 * from secret and step. What is audited changes no result.
 *
 * @param step 1-based
 */
export function auditedLeaf(options: AuditPlanOptions, step: number): number | undefined {
  const { secret, everySteps, numLeaves } = options;
  if (everySteps === null) return undefined;
  const stretch = Math.floor((step - 1) / everySteps);
  const drawn = createHash("sha256").update(`audit ${secret} ${stretch}`).digest();
  const place = drawn.readUInt32LE(0) % everySteps;
  return (step - 1) % everySteps === place ? drawn.readUInt32LE(4) % numLeaves : undefined;
}
