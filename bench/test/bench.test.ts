import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ROW_NAMES } from "../src/report/index.js";
import type { BenchReport } from "../src/report/index.js";

const program = join(import.meta.dirname, "../dist/main.js");
let folder = "";

function bench(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-bench-test-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the benchmark", () => {
  it("measures every row, and writes finite figures as JSON and as a table", () => {
    const output = join(folder, "results/quick.json");
    const { status, stdout, stderr } = bench("--quick", "--backend", "wasm", "--output", output);
    expect(status, stderr).toBe(0);
    const report = JSON.parse(readFileSync(output, "utf8")) as BenchReport;
    expect(report.notes).toEqual([]);
    expect(report).toMatchObject({
      format: 1,
      machine: { cores: expect.any(Number), node: process.version },
      options: { quick: true, threads: 1, peer: null },
    });
    expect(new Set(report.results.map(({ row }) => row))).toEqual(new Set(ROW_NAMES));
    for (const { row, case: name, sides, ratios, work, barMs } of report.results) {
      expect(stdout).toContain(name);
      expect(barMs, `${row} of tiny shapes has no bar`).toBeNull();
      expect(work?.amount ?? 1).toBeGreaterThan(0);
      expect(sides.length, row).toBeGreaterThan(0);
      for (const { side, medianMs, minMs, maxMs, samplesMs, details } of sides) {
        expect(stdout).toContain(side);
        expect(samplesMs).toHaveLength(1);
        expect([minMs, medianMs, maxMs]).toEqual([samplesMs[0], samplesMs[0], samplesMs[0]]);
        expect(medianMs).toBeGreaterThan(0);
        expect(Object.values(details).every((value) => Number.isFinite(value))).toBe(true);
      }
      for (const ratio of ratios) {
        const msOf = (name: string) => sides.find(({ side }) => side === name)?.medianMs ?? NaN;
        expect(ratio.median).toBeCloseTo(msOf(ratio.to) / msOf(ratio.of), 10);
      }
    }
    expect(report.tables.map(({ row }) => row)).toEqual(["saturation", "saturation"]);
    for (const { title, columns, rows } of report.tables) {
      expect(stdout).toContain(title);
      expect(rows.length).toBeGreaterThan(0);
      for (const cells of rows) {
        expect(cells).toHaveLength(columns.length);
        expect(cells.every((cell) => cell !== "" && !/NaN|undefined|Infinity/.test(cell))).toBe(
          true,
        );
      }
    }
    const cluster = report.results.find(({ row }) => row === "cluster");
    expect(cluster?.sides.map(({ side }) => side)).toEqual(["wasm ×2", "wasm ×3"]);
    expect(cluster?.sides[0]?.details).toMatchObject({ collectMs: expect.any(Number) });
  });

  it("says in one line what a peer needs that is not there", () => {
    const output = join(folder, "never.json");
    const { status, stderr } = bench(
      "--quick",
      "--peer",
      "pytorch",
      "--python",
      "/no/python",
      "--output",
      output,
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^bench: --peer pytorch needs a Python with torch 2\.15\.0 \(.*\); \/no\/python can't be run: .*ENOENT\n$/,
    );
    expect(existsSync(output)).toBe(false);
  });

  it.each([
    ["--rows", "kernel,speed", "'speed' is none of machine, kernel, step,"],
    ["--backend", "fast", "'fast' is none of native, wasm,"],
    ["--rounds", "0", "It must be a number above 0."],
  ])("refuses %s %s", (option, value, words) => {
    const { status, stderr } = bench(option, value);
    expect(status).not.toBe(0);
    expect(stderr).toContain(words);
  });

  it("goes on without a side that fails, and notes why", () => {
    const output = join(folder, "threads.json");
    const args = ["--quick", "--rows", "kernel", "--backend", "wasm", "--threads", "2"];
    const { status } = bench(...args, "--output", output);
    const report = JSON.parse(readFileSync(output, "utf8")) as BenchReport;
    expect(report.results).toEqual([]);
    expect(report.notes[0]).toContain("backend 'wasm' computes on one thread, not on 2");
    expect(status).toBe(1);
  });
});
