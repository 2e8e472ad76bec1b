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
export { curvesOf, hasDistances, newest, normsOf } from "./report.js";
export type { DistanceCurve, DistanceOf, Report } from "./report.js";
export { diagnosisText } from "./terminal-report.js";
