/**
 * The errors of the command line, and what any error means for the exit code.
 *
 * @example
 * ```ts
 * process.stderr.write(lineOf(error, false)); // ostinato: lstm.yaml:3: model.layers: unknown key; …
 * process.exitCode = await exitCodeOf(error); // 2
 * ```
 *
 * @module
 */
export { CliError } from "./cli-error.js";
export type { CliErrorCode } from "./cli-error.js";
export { EXIT_CODES, exitCodeOf, lineOf, loadErrorKinds } from "./exit-code.js";
