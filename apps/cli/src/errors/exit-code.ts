import { CliError } from "./cli-error.js";

/** 0 done, 1 failed, 2 bad usage, config or data; a signal ends with 128 plus its number. */
export const EXIT_CODES = { done: 0, failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The exit code that an error ends its command with: 2 for what a person puts right in the command,
 * the config or the data, 1 for everything else.
 */
export async function exitCodeOf(error: unknown): Promise<number> {
  return (await isForThePerson(error)) ? EXIT_CODES.usage : EXIT_CODES.failed;
}

/**
 * Loads all kinds of errors that there are: a program that runs for days does it at its beginning, as the checkout may
 * be built anew meanwhile, and the files of the old build be gone.
 */
export async function loadErrorKinds(): Promise<void> {
  await Promise.all([import("@ostinato/run"), import("@ostinato/data"), import("@ostinato/proto")]);
}

async function isForThePerson(error: unknown): Promise<boolean> {
  if (error instanceof CliError) return error.code !== "unknownBackend";
  // Loaded when something went wrong and not before, so that --help is there at once.
  const { isUsageError, RunError } = await import("@ostinato/run");
  if (error instanceof RunError) return isUsageError(error.code);
  const { DataError } = await import("@ostinato/data");
  if (error instanceof DataError) return error.code !== "corruptDataset";
  const { WireError } = await import("@ostinato/proto");
  if (error instanceof WireError) {
    return ["invalidAddress", "notLoopback", "credentialFile"].includes(error.code);
  }
  return false;
}

/** The one line that tells a person of an error; with its stack for one who asked for it. */
export function lineOf(error: unknown, debug: boolean): string {
  if (debug && error instanceof Error) return `ostinato: ${error.stack ?? error.message}\n`;
  const message = error instanceof Error ? error.message : String(error);
  return `ostinato: ${message.trim().replace(/\s*\n\s*/g, " ")}\n`;
}
