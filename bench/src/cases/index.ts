/**
 * What is measured: shapes, as plain JSON that our own process and a peer's both read.
 *
 * @example
 * for (const { name, measured } of recurrentCases(false)) console.log(name, operationsOf(measured));
 */
export { operationsOf, tokensOf } from "./measured-case.js";
export type {
  ForecasterSizes,
  HalfGradients,
  LanguageModelSizes,
  MatrixProduct,
  MeasuredCase,
  MemoryCopy,
  RecurrentPass,
  Training,
  TrainingStep,
} from "./measured-case.js";
export { recurrentCases } from "./recurrent-cases.js";
export type { NamedCase } from "./recurrent-cases.js";
export { MICRO_SHARDS, trainingCases } from "./training-cases.js";
export type { TrainingName } from "./training-cases.js";
