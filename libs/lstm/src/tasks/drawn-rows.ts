import { uniform32 } from "../random/index.js";

/** Which sequences to draw: the same keys draw the same ones. */
export interface DrawnRows {
  /** Rows to draw, next to each other. */
  readonly numRows: number;
  /** A whole number from 0 to 2³² − 1. */
  readonly seed: number;
  /** A batch of its own for each. */
  readonly step: number;
  /** The micro-shard that the rows belong to; 0 by default. */
  readonly leaf?: number | undefined;
}

/** Random numbers of one row: `at(counter)` is from 0 to below 1. */
export function drawsOfRow(
  { seed, step, leaf = 0 }: DrawnRows,
  row: number,
): (counter: number) => number {
  const key = { seed, step, purpose: "syntheticTask", layer: 0, leaf, row } as const;
  return (counter) => uniform32(key, counter);
}
