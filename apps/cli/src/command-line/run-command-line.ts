/** Arguments → command → exit code; every failure is one line. */

import { CommanderError } from "commander";

import { CliError, EXIT_CODES, exitCodeOf, lineOf } from "../errors/index.js";
import type { Commands } from "./options.js";
import { createProgram } from "./program.js";

export interface CommandLineModules {
  readonly commands: Commands;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Shows stacks. */
  readonly debug: boolean;
}

/**
 * Runs the command that the arguments name (without the program's own two).
 *
 * @returns the exit code; never rejects
 */
export async function runCommandLine(
  programArguments: readonly string[],
  { commands, version, writeOut, writeErr, debug }: CommandLineModules,
): Promise<number> {
  let exitCode: number = EXIT_CODES.done;
  const onExitCode = (code: number): void => {
    exitCode = code;
  };
  const program = createProgram({ commands, version, writeOut, onExitCode });
  if (programArguments.length === 0) {
    writeErr(program.helpInformation());
    return EXIT_CODES.usage;
  }
  try {
    await program.parseAsync([...programArguments], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT_CODES.done;
    const told =
      error instanceof CommanderError
        ? new CliError("usage", error.message.replace(/^error: /, ""), { cause: error })
        : error;
    writeErr(lineOf(told, debug));
    return await exitCodeOf(told);
  }
}
