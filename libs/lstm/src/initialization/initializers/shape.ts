/** [rows, columns] of a matrix, whose rows are inputs and whose columns are outputs, or [values]. */
export type Shape = readonly number[];

export function numValues(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
