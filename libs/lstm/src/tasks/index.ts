/**
 * Synthetic tasks of the literature: whether a model can carry information over many time steps, told by
 * sequences that are drawn from a seed as they are needed.
 *
 * @example
 * const batch = addingProblem({ length: 100, numRows: 32, seed: 1, step: 7 });
 * trainer.trainStep({ batch: { ...batch, leaves: [{ leaf: 0, firstRow: 0, numRows: 32 }] } });
 */
export { addingProblem } from "./adding-problem.js";
export { copyTask, copyTaskSizes } from "./copy-task.js";
export type { CopyTaskOptions } from "./copy-task.js";
export type { DrawnRows } from "./drawn-rows.js";
