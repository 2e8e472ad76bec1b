/**
 * The results of a benchmark run, as JSON for programs and as a table for people.
 *
 * @example
 * writeReport("bench/results/latest.json", report);
 * process.stdout.write(formatResults(report.results));
 */
export { ROW_NAMES, thisMachine, writeReport } from "./report.js";
export type { BenchReport, BenchTable, CaseResult, Machine, RowName } from "./report.js";
export { formatResults, formatTable } from "./table.js";
