/**
 * Config → data set → layouts and model: what a run's config and data decide, the same for everyone who
 * asks: coordinator, workers, `verify` and inference.
 *
 * @example
 * ```ts
 * const { dataset } = await readDataset(config);
 * const model = modelOfData(config, dataset);
 * const { train } = layOut(dataset, model, layoutSettings(config));
 * train.expectedLeaf({ epoch: 0, epochStep: 3 }, 2); // what leaf 2 of step 4 amounts to
 * ```
 *
 * @module
 */
export { layOut, layOutPairs, layOutSequences, layOutText, layoutSettings } from "./layouts.js";
export type { DataLayout, LayoutSettings } from "./layouts.js";
export { readDataset } from "./read-dataset.js";
export type { ReadDataset } from "./read-dataset.js";
export { compileRunModelSpec, modelOfData } from "./run-model.js";
export type { RunModelSpec } from "./run-model.js";
export type { ExpectedSamples, LeafSamples, SplitLayout } from "./splits/index.js";
