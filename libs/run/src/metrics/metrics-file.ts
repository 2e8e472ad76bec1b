/** metrics.jsonl: one line a step and one an evaluation, for plots. The ledger is what counts. */

import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

import { RunError, storageFailed } from "../errors/index.js";
import type { EvaluationRecord, LedgerRecord, StepRecord } from "../ledger/index.js";

/** Flat, so that every plotting tool reads it; numbers that are not finite become null. */
export type MetricsLine = {
  readonly type: "step" | "evaluation";
  readonly step: number;
} & Readonly<Record<string, string | number | boolean | null>>;

export interface MetricsFile {
  /** Why the file could not be opened; undefined if it could. It is tried again with every line. */
  readonly problem: RunError | undefined;
  /**
   * Writes a line, after those that could not be written before.
   *
   * @throws RunError 'storageFailed', and what the guard throws; the line is kept for the next call
   */
  append(line: MetricsLine): void;
  close(): void;
}

export interface MetricsFileOptions {
  /**
   * For a resume: the lines that are to be there, as {@link metricsOf} makes them of the ledger. What a crash
   * took between the ledger and this file, or a disk refused, is appended; what the ledger has lost, and the
   * run is to repeat, is cut off.
   */
  readonly committed?: readonly MetricsLine[] | undefined;
  /** Runs before the file is changed, and throws if this is not its one writer any more. */
  readonly guard?: () => void;
}

/** Some megabytes. Beyond them the oldest are lost, until a resume makes them of the ledger. */
const MOST_WAITING = 10_000;

/**
 * The metrics of a new or resumed run. Half a line at the end, left by a crash, is cut off. It is a view on the
 * ledger: that it cannot be written must stop nobody, so that opening it does not fail.
 */
export function openMetricsFile(path: string, options: MetricsFileOptions = {}): MetricsFile {
  return new AppendedFile(path, options);
}

class AppendedFile implements MetricsFile {
  readonly problem: RunError | undefined;
  readonly #path: string;
  readonly #options: MetricsFileOptions;
  #file: number | undefined;
  /** Of the whole lines. */
  #endByte = 0;
  /** It has been opened once, and has the lines that were committed before. */
  #isBegun = false;
  #waiting: MetricsLine[] = [];

  constructor(path: string, options: MetricsFileOptions) {
    this.#path = path;
    this.#options = options;
    try {
      this.#file = this.#open();
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      this.problem = error;
    }
  }

  append(line: MetricsLine): void {
    this.#waiting = [...this.#waiting, line].slice(-MOST_WAITING);
    this.#options.guard?.();
    this.#file ??= this.#open();
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        this.#write(this.#file, next);
        this.#waiting.shift();
      }
    } catch (error) {
      // Opened anew for the next line, it is looked through for half a line.
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    this.#options.guard?.();
    const path = this.#path;
    const file = attempt(path, () => openSync(path, "a+"));
    try {
      const committed = this.#isBegun ? undefined : this.#options.committed;
      const lines = linesOf(attempt(path, () => readFileSync(path)));
      const isOther = ({ key }: PresentLine, index: number): boolean => {
        const wanted = committed?.[index];
        return wanted === undefined || keyOf(wanted) !== key;
      };
      const numPresent = committed === undefined ? -1 : lines.findIndex(isOther);
      const present = numPresent < 0 ? lines : lines.slice(0, numPresent);
      this.#endByte = present.at(-1)?.endByte ?? 0;
      attempt(path, () => ftruncateSync(file, this.#endByte));
      for (const line of committed?.slice(present.length) ?? []) this.#write(file, line);
      this.#isBegun = true;
      return file;
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** A line, whole or not at all: half of one would run into the next. */
  #write(file: number, line: MetricsLine): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    } catch (error) {
      cutQuietly(file, this.#endByte);
      throw storageFailed(this.#path, error);
    }
    this.#endByte += bytes.length;
  }
}

function cutQuietly(file: number, endByte: number): void {
  try {
    ftruncateSync(file, endByte);
  } catch {
    // The failure to write is the one to tell.
  }
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
