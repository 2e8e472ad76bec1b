import Table from "cli-table3";

import type { SoakResult } from "./soak.js";

const MIB = 1 << 20;

/** The results for people: a line for each process. */
export function formatSoakTable(results: readonly SoakResult[]): string {
  const table = new Table({
    head: ["case", "process", "mean MiB", "peak MiB", "bound", "MiB in 10 000 steps", "of heap"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "right", "right", "left", "right", "right"],
  });
  for (const { case: name, numWorkers, bound, processes } of results) {
    for (const { name: process, peakBytes, resident, heap } of processes) {
      const isBounded = process === "coordinator";
      table.push([
        `${name}, ${numWorkers} workers`,
        process,
        mib(resident.meanBytes),
        mib(peakBytes),
        isBounded ? boundText(peakBytes, bound.coordinatorBytes) : "",
        mib(resident.bytesPerStep * 10_000),
        mib(heap.bytesPerStep * 10_000),
      ]);
    }
  }
  return table.toString();
}

function boundText(peakBytes: number, bound: number): string {
  return `${peakBytes <= bound ? "met" : "not met:"} ≤ ${mib(bound)}`;
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
