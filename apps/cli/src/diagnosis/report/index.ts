/**
 * What a diagnosis looks like: tables and a chart for a terminal, one JSON object.
 *
 * @example
 * ```ts
 * const report = { file: "adding.yaml", comparedKey: "model.cell", variants };
 * stdout.write(diagnosisText(report));
 * ```
 */
export { diagnosisJson } from "./json-report.js";
export { curvesOf, newest, normsOf } from "./report.js";
export type { DistanceCurve, DistanceOf, Report } from "./report.js";
export { STACK_WORDS, stackOf, stacksOf } from "./stacks.js";
export type { Stack } from "./stacks.js";
export { diagnosisText } from "./terminal-report.js";
