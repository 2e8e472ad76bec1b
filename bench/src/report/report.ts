/** What a benchmark run comes to, as JSON and as a table. Milliseconds everywhere. */
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import { dirname } from "node:path";

import type { Ratio, SideResult } from "../interleaving/index.js";

export const ROW_NAMES = [
  "machine",
  "kernel",
  "step",
  "leaves",
  "cluster",
  "scaling",
  "transport",
  "start",
  "recovery",
  "growth",
  "saturation",
] as const;
export type RowName = (typeof ROW_NAMES)[number];

/** One case of one row: everyone who was measured, in turn. */
export interface CaseResult {
  readonly row: RowName;
  readonly case: string;
  /** Sizes of the case, for programs. */
  readonly sizes: object;
  readonly sides: readonly SideResult[];
  readonly ratios: readonly Ratio[];
  /** Units of work of one repetition: for tokens/s, GFLOP/s and MB/s. */
  readonly work: { readonly unit: "tokens" | "GFLOP" | "MB"; readonly amount: number } | null;
  /** What a side of ours should take at most. */
  readonly barMs: number | null;
}

/** What is no measurement of sides that are compared. */
export interface BenchTable {
  readonly row: RowName;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  /** Of the last minute, when the run began: how busy the machine was with other things. */
  readonly loadAverage: number;
}

export interface BenchReport {
  /** Raised when a field changes its meaning. */
  readonly format: 1;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly options: object;
  /** What could not be measured, and why. */
  readonly notes: readonly string[];
  readonly results: readonly CaseResult[];
  readonly tables: readonly BenchTable[];
}

export function thisMachine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${platform()} ${arch()}`,
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
  };
}

/** Writes JSON, in folders that are made for it. */
export function writeReport(path: string, report: object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
}
