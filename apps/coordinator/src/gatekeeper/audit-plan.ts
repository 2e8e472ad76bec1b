/** Which results are computed a second time although nothing is wrong with them. Pure. */

import { createHash } from "node:crypto";

export interface AuditPlanOptions {
  readonly seed: number;
  /** One step of so many is audited; null: none. */
  readonly everySteps: number | null;
  readonly numLeaves: number;
}

/**
 * The leaf whose node is audited in this step, if there is one.
 *
 * Of each `everySteps` steps one, at a place that differs from time to time, and in it one leaf: both follow
 * from seed and step, so that a run repeated is audited in the same places.
 *
 * @param step 1-based
 */
export function auditedLeaf(options: AuditPlanOptions, step: number): number | undefined {
  const { seed, everySteps, numLeaves } = options;
  if (everySteps === null) return undefined;
  const stretch = Math.floor((step - 1) / everySteps);
  const drawn = createHash("sha256").update(`audit ${seed} ${stretch}`).digest();
  const place = drawn.readUInt32LE(0) % everySteps;
  return (step - 1) % everySteps === place ? drawn.readUInt32LE(4) % numLeaves : undefined;
}
