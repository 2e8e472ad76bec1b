import { LstmError } from "../lstm-error.js";

/** The rows of one leaf (micro-shard) within a batch. */
export interface BatchLeaf {
  readonly leaf: number;
  readonly firstRow: number;
  /** May be 0: a leaf can be empty. */
  readonly numRows: number;
}

/** @throws LstmError `invalidBatch` for leaves that do not follow each other and cover all rows. */
export function checkLeaves(what: string, leaves: readonly BatchLeaf[], numRows: number): void {
  let nextRow = 0;
  for (const { leaf, firstRow, numRows: rowsOfLeaf } of leaves) {
    if (firstRow !== nextRow || !isCount(rowsOfLeaf)) {
      throw new LstmError(
        "invalidBatch",
        `${what}: leaf ${leaf} has ${rowsOfLeaf} rows from ${firstRow}, expected a whole number from ` +
          `row ${nextRow}`,
      );
    }
    nextRow += rowsOfLeaf;
  }
  if (nextRow === numRows) return;
  throw new LstmError("invalidBatch", `${what}: leaves cover ${nextRow} of ${numRows} rows`);
}

export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/**
 * Leaves that the rows are spread over as evenly as can be.
 *
 * @param microShards how many: a power of two.
 * @throws LstmError `invalidBatch` for another number.
 */
export function evenLeaves(numRows: number, microShards: number): readonly BatchLeaf[] {
  const isPowerOfTwo = microShards >= 1 && (microShards & (microShards - 1)) === 0;
  if (!isPowerOfTwo || !Number.isInteger(microShards)) {
    throw new LstmError(
      "invalidBatch",
      `microShards is ${microShards}, expected a power of two from 1`,
    );
  }
  const first = (leaf: number): number => Math.floor((leaf * numRows) / microShards);
  return Array.from({ length: microShards }, (_, leaf) => ({
    leaf,
    firstRow: first(leaf),
    numRows: first(leaf + 1) - first(leaf),
  }));
}
