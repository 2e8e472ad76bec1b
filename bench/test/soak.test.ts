import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { SoakResult } from "../src/soak/index.js";
import { memoryBound, soakCases } from "../src/soak/index.js";

const program = join(import.meta.dirname, "../dist/soak-main.js");
const MIB = 1 << 20;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-soak-test-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the soak", () => {
  it("watches coordinator and workers, and writes what it saw as JSON and as a table", () => {
    const output = join(folder, "soak.json");
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [program, "--quick", "--backend", "wasm", "--output", output],
      { encoding: "utf8" },
    );
    expect(status, stderr).toBe(0);
    const report = JSON.parse(readFileSync(output, "utf8")) as {
      readonly results: readonly SoakResult[];
    };
    const [result] = report.results;
    expect(report.results).toHaveLength(1);
    expect(result?.processes.map(({ name }) => name)).toEqual([
      "coordinator",
      "worker-1",
      "worker-2",
    ]);
    for (const { name, peakBytes, samples, resident, heap } of result?.processes ?? []) {
      expect(stdout).toContain(name);
      expect(samples.length).toBeGreaterThan(1);
      expect(samples.at(-1)?.step).toBeGreaterThanOrEqual(result?.numSteps ?? NaN);
      for (const { residentBytes, heapBytes } of samples) {
        expect(heapBytes).toBeGreaterThan(MIB);
        expect(residentBytes).toBeGreaterThan(heapBytes);
      }
      expect(peakBytes).toBeGreaterThanOrEqual(resident.meanBytes);
      expect(Number.isFinite(resident.bytesPerStep + heap.bytesPerStep)).toBe(true);
    }
  });

  it("bounds a coordinator by its model, its optimizer, its workers and M", () => {
    const small = soakCases(false).find(({ name }) => name === "Zaremba small, Adam");
    if (small === undefined) throw new Error("no such case");
    // 10 000 × 200 of the embedding, two layers of 400 × 800 + 800, 200 × 10 000 + 10 000 of the output.
    const parameterBytes = 4 * 4_651_600;
    expect(memoryBound(small)).toEqual({
      parameterBytes,
      optimizerBytes: 2 * parameterBytes,
      // 4 × 3 and 2 × 2 + log2(4)
      coordinatorBytes: (12 + 6) * parameterBytes + 150 * MIB,
    });
  });
});
