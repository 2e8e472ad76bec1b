import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { KernelError } from "../kernel-error.js";
import { expectRank, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";
import type { KernelName } from "./kernel-names.js";

/** A block of consecutive time steps and consecutive batch rows of a [T,B,C] tensor. */
export interface SequenceBlock {
  readonly firstStep: number;
  readonly numSteps: number;
  readonly firstRow: number;
  readonly numRows: number;
}

/**
 * The positions of one block, such as one leaf, out of a time-major tensor.
 *
 * @param sequence [T,B,C]
 * @returns [numSteps·numRows,C], in the order (time, row).
 * @throws KernelError `invalidShape`, also for a block that leaves the tensor.
 */
export function sequenceRows(sequence: Tensor3D, block: SequenceBlock): Tensor2D {
  const kernelName = KERNEL_NAMES.sequenceRows;
  expectRank(kernelName, "sequence", sequence, 3);
  const [numSteps, numRows] = sequence.shape;
  if (!isWithin(block.firstStep, block.numSteps, numSteps)) {
    throw outOfRange(kernelName, "steps", block.firstStep, block.numSteps, numSteps);
  }
  if (!isWithin(block.firstRow, block.numRows, numRows)) {
    throw outOfRange(kernelName, "rows", block.firstRow, block.numRows, numRows);
  }
  const [rows] = runKernel(kernelName, { sequence }, block) as [Tensor2D];
  return rows;
}

function isWithin(first: number, count: number, total: number): boolean {
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
  return isCount(first) && isCount(count) && first + count <= total;
}

function outOfRange(
  kernelName: KernelName,
  what: string,
  first: number,
  count: number,
  total: number,
): KernelError {
  return new KernelError(
    "invalidShape",
    `${kernelName}: block of ${count} ${what} from ${first} leaves the tensor's ${total} ${what}`,
  );
}
