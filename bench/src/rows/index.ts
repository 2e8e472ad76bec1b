/**
 * The rows of the benchmark, each of which measures its cases and tells their results.
 *
 * @example
 * for (const name of ["kernel", "step"] as const) await measureRow(name, context);
 */
import type { RowName } from "../report/index.js";
import { clusterRow } from "./cluster-row.js";
import type { RowContext } from "./context.js";
import { growthRow } from "./growth-row.js";
import { kernelRow } from "./kernel-row.js";
import { leavesRow } from "./leaves-row.js";
import { machineRow } from "./machine-row.js";
import { recoveryRow, startRow } from "./process-rows.js";
import { saturationRow } from "./saturation-row.js";
import { scalingRow } from "./scaling-row.js";
import { stepRow } from "./step-row.js";
import { transportRow } from "./transport-row.js";

export type { RowContext } from "./context.js";

const ROWS: Readonly<Record<RowName, (context: RowContext) => Promise<void>>> = {
  machine: machineRow,
  kernel: kernelRow,
  step: stepRow,
  leaves: leavesRow,
  cluster: clusterRow,
  scaling: scalingRow,
  transport: transportRow,
  start: startRow,
  recovery: recoveryRow,
  growth: growthRow,
  saturation: saturationRow,
};

/** Measures one row; its results go to the context's `onResult`. */
export function measureRow(row: RowName, context: RowContext): Promise<void> {
  return ROWS[row](context);
}
