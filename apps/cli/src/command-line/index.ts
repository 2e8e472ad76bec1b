/**
 * The command line: which commands and options there are, and what becomes of errors.
 *
 * @example
 * ```ts
 * process.exitCode = await runCommandLine(process.argv.slice(2), modules);
 * ```
 *
 * @module
 */
export type {
  Commands,
  CoordinatorCommandOptions,
  DiagnoseOptions,
  DoctorOptions,
  EvaluateOptions,
  GenerateOptions,
  PredictOptions,
  StatusOptions,
  SummaryOptions,
  TrainOptions,
  TranslateOptions,
  VerifyOptions,
  WorkerCommandOptions,
} from "./options.js";
export { addClientSecurity, addServerSecurity } from "./security-options.js";
export type { ClientSecurityOptions, ServerSecurityOptions } from "./security-options.js";
export { runCommandLine } from "./run-command-line.js";
export type { CommandLineModules } from "./run-command-line.js";
