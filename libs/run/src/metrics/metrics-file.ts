/** metrics.jsonl: one line a step and one an evaluation, for plots. The ledger is what counts. */

import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

import { RunError } from "../errors/index.js";

/** Flat, so that every plotting tool reads it; numbers that are not finite become null. */
export type MetricsLine = {
  readonly type: "step" | "evaluation";
  readonly step: number;
} & Readonly<Record<string, string | number | boolean | null>>;

export interface MetricsFile {
  /** @throws RunError 'storageFailed' */
  append(line: MetricsLine): void;
  close(): void;
}

/**
 * Opens the metrics of a new or resumed run. Half a line at the end, left by a crash, is cut off.
 *
 * @throws RunError 'storageFailed'
 */
export function openMetricsFile(path: string): MetricsFile {
  const file = attempt(path, () => openSync(path, "a+"));
  try {
    attempt(path, () => ftruncateSync(file, readFileSync(path).lastIndexOf("\n") + 1));
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {
    append: (line) => attempt(path, () => void writeSync(file, `${JSON.stringify(line)}\n`)),
    close: () => closeSync(file),
  };
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new RunError("storageFailed", `${path}: cannot be written (${reason})`, { cause: error });
  }
}
