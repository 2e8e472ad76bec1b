/** metrics.jsonl: one line a step and one an evaluation, for plots. The ledger is what counts. */

import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

import { storageFailed } from "../errors/index.js";
import type { EvaluationRecord, LedgerRecord, StepRecord } from "../ledger/index.js";

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
 * @param committed for a resume: the lines that are to be there, as {@link metricsOf} makes them of the
 *   ledger. What a crash took between the ledger and this file is appended; what the ledger has lost, and
 *   the run is to repeat, is cut off.
 * @throws RunError 'storageFailed'
 */
export function openMetricsFile(path: string, committed?: readonly MetricsLine[]): MetricsFile {
  const file = attempt(path, () => openSync(path, "a+"));
  const append = (line: MetricsLine): void =>
    attempt(path, () => void writeSync(file, `${JSON.stringify(line)}\n`));
  try {
    const lines = linesOf(attempt(path, () => readFileSync(path)));
    const wanted = new Set(committed?.map(keyOf));
    const end = committed && lines.find(({ key }) => !wanted.has(key));
    const present = end === undefined ? lines : lines.slice(0, lines.indexOf(end));
    attempt(path, () => ftruncateSync(file, present.at(-1)?.endByte ?? 0));
    const keys = new Set(present.map(({ key }) => key));
    for (const line of committed ?? []) if (!keys.has(keyOf(line))) append(line);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { append, close: () => closeSync(file) };
}

/**
 * The line that a committed step or evaluation amounts to.
 *
 * @param samplesPerSecond how fast a step was, which is not in the ledger
 */
export function metricsLine(
  record: StepRecord | EvaluationRecord,
  samplesPerSecond: number | null = null,
): MetricsLine {
  if (record.type === "step") {
    const { type, step, epoch, loss, learningRate, gradientNorm } = record;
    const line = { type, step, epoch, loss, learningRate, gradientNorm, samplesPerSecond };
    return { ...line, skipped: record.skipped !== null };
  }
  const { type, step, split, loss, best } = record;
  return { type, step, split, loss, best };
}

/** The lines that a ledger's steps and evaluations amount to. */
export function metricsOf(records: readonly LedgerRecord[]): MetricsLine[] {
  return records.flatMap((record) =>
    record.type === "step" || record.type === "evaluation" ? [metricsLine(record)] : [],
  );
}

/** What tells one line from another. */
function keyOf(line: MetricsLine): string {
  return `${line.type} ${line.step} ${String(line.split ?? "")}`;
}

interface PresentLine {
  readonly key: string;
  /** Of the file, up to and including the line. */
  readonly endByte: number;
}

/** The whole lines of a file. */
function linesOf(bytes: Buffer): PresentLine[] {
  const lines: PresentLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf("\n"); end !== -1; end = bytes.indexOf("\n", start)) {
    lines.push({ key: keyIn(bytes.toString("utf8", start, end)), endByte: end + 1 });
    start = end + 1;
  }
  return lines;
}

/** Empty for what is no line of metrics. */
function keyIn(line: string): string {
  try {
    return keyOf(JSON.parse(line) as MetricsLine);
  } catch {
    return "";
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw storageFailed(path, error);
  }
}
