/**
 * Whether training can run on this machine, and how fast: what `ostinato doctor` tells.
 *
 * @example
 * const health = await examine({ nodeVersion, machine: thisMachine(), runFolder, now, seconds: 0.3 });
 * const findings = findingsOf(health);
 * process.stdout.write(healthText(health, findings, 80));
 */
export { examine } from "./examine.js";
export type { ExamineOptions, Health } from "./examine.js";
export { findingsOf } from "./findings.js";
export type { Findings } from "./findings.js";
export { thisMachine } from "./this-machine.js";
export { healthText } from "./text.js";
