/**
 * `ostinato diagnose`: what is measured, and how it is shown. This room loads TensorFlow.js.
 *
 * @example
 * ```ts
 * const [variant] = await readVariants({ file: "adding.yaml", overrides: [], compared: undefined });
 * const found = await diagnoseVariant(variant, "adding.yaml", 100);
 * terminal.stdout.write(diagnosisText({ title: "adding.yaml", variants: [found] }));
 * ```
 *
 * @module
 */
export { diagnoseVariant, readVariants, stepsOf } from "./diagnose-config.js";
export type { Variant, VariantDiagnosis, VariantsRequest } from "./diagnose-config.js";
export { diagnoseRun } from "./diagnose-run.js";
export type { RunDiagnosis } from "./diagnose-run.js";
export { diagnosisSvg } from "./diagnosis-svg.js";
export { diagnosisJson, diagnosisText } from "./report/index.js";
export type { Report } from "./report/index.js";
