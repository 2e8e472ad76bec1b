import type { LeafRows } from "./contract/index.js";

/** One leaf's positions out of a [T,B] array, in the order (time, row). */
export function valuesOfLeaf<Values extends Int32Array | Float32Array>(
  values: Values,
  numSteps: number,
  numRows: number,
  leaf: LeafRows,
): Values {
  const positions = new (values.constructor as new (length: number) => Values)(
    numSteps * leaf.numRows,
  );
  for (let t = 0; t < numSteps; t++) {
    const start = t * numRows + leaf.firstRow;
    positions.set(values.subarray(start, start + leaf.numRows), t * leaf.numRows);
  }
  return positions;
}
