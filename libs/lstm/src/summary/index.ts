/**
 * What a model is made of and what it takes: layers, tensors, parameters, memory.
 *
 * @example
 * console.log(formatSummary(modelSummary(spec, { rows: 32, steps: 64, optimizerSlots: 2 })));
 */
export { formatSummary } from "./format-summary.js";
export { modelSummary } from "./model-summary.js";
export type { LayerSummary, MemorySummary, ModelSummary, SummaryOptions } from "./model-summary.js";
