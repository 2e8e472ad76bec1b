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
export { curvesOf, newest } from "./report.js";
export type { DistanceCurve, Report } from "./report.js";
export { diagnosisText } from "./terminal-report.js";
