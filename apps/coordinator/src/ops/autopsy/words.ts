/** Figures as the sentences have them. */

import { contiguousRuns } from "../../leases/index.js";
import type { Collecting, WatchedWorker } from "./wait.js";

/** "4.1 s", "2 min 5 s", "3 h 12 min". */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Leaves as runs: "leaf 3", "leaves 0–5, 9". There may be a thousand of them, and the sentence is to be read. */
export function leavesInWords(leaves: readonly number[]): string {
  const runs = contiguousRuns(leaves).map(({ first, count }) =>
    count === 1 ? `${first}` : `${first}–${first + count - 1}`,
  );
  return `${leaves.length === 1 ? "leaf" : "leaves"} ${runs.join(", ")}`;
}

export function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

export function workerInWords({
  workerId,
  name,
}: Pick<WatchedWorker, "workerId" | "name">): string {
  return `${workerId} (${name})`;
}

export function subjectOf({ kind, step }: Pick<Collecting, "kind" | "step">): string {
  return kind === "train" ? `step ${step}` : `the evaluation at step ${step}`;
}

/** Whether it is "it" or "them" that follows. */
export function them(leaves: readonly number[]): string {
  return leaves.length === 1 ? "it" : "them";
}
