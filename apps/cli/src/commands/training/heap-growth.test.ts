import { execFileSync } from "node:child_process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, it, vi } from "vitest";

import {
  keepHeapSmall,
  NO_YOUNG_GROWTH,
  OWN_OLD_GROWTH,
  SETTLED_AFTER,
  SMALL_OLD_GROWTH,
} from "./heap-growth.js";

const MIB = 2 ** 20;

/** Allocates what survives for a while, and prints how big the space for young objects is then, in bytes. */
const GROW_YOUNG = `
const { getHeapSpaceStatistics } = require('node:v8');
const kept = [];
for (let round = 0; round < 300; round++) {
  kept.push(Array.from({ length: 2000 }, (_, i) => ({ i, list: [i] })));
  if (kept.length > 20) kept.shift();
}
const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
process.stdout.write(String(space.space_size));
`;

/**
 * Keeps 16 MiB of old objects, adds garbage that grew old, as a coordinator's steps do, and prints the most that all
 * of them took, in bytes.
 */
const GROW_OLD = `
const objects = (count) => Array.from({ length: count }, (_, i) => ({ i, list: [i] }));
const alive = objects(200_000);
let most = 0;
let kept = [];
for (let round = 0; round < 2000; round++) {
  kept.push(objects(1000));
  if (kept.length > 20) kept = [];
  most = Math.max(most, process.memoryUsage().heapUsed);
}
process.stdout.write(String(alive.length && most));
`;

function printedBy(program: string, ...flags: readonly string[]): number {
  const setFlags = flags.map((flag) => `require('node:v8').setFlagsFromString('${flag}');`);
  const script = [...setFlags, program].join("\n");
  return Number(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }));
}

describe("with the flags that are set while the process runs, and without them", () => {
  it("the space for young objects stays small, and grows", () => {
    // 16 MiB in each half by default; what it starts with is below 2.
    expect(printedBy(GROW_YOUNG)).toBeGreaterThan(16 * MIB);
    expect(printedBy(GROW_YOUNG, NO_YOUNG_GROWTH)).toBeLessThan(5 * MIB);
  });

  it("old objects stay near to what lives, and grow to a multiple of it", () => {
    const free = printedBy(GROW_OLD, NO_YOUNG_GROWTH);
    const bound = printedBy(GROW_OLD, NO_YOUNG_GROWTH, SMALL_OLD_GROWTH);
    expect(bound).toBeLessThan(0.7 * free);
  });
});

describe("keepHeapSmall", () => {
  it("bounds what the heap grows by until all of it was collected some times", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const flags: string[] = [];
    keepHeapSmall([], (flag) => flags.push(flag));
    expect(flags).toEqual([NO_YOUNG_GROWTH, SMALL_OLD_GROWTH]);
    for (let n = 0; n < SETTLED_AFTER; n++) collect();
    await vi.waitFor(() => {
      expect(flags).toEqual([NO_YOUNG_GROWTH, SMALL_OLD_GROWTH, OWN_OLD_GROWTH]);
    });
  });

  it("leaves to others what they chose", () => {
    const flags: string[] = [];
    keepHeapSmall(["--max-semi-space-size=16", "--heap-growing-percent=50"], (flag) =>
      flags.push(flag),
    );
    expect(flags).toEqual([]);
    keepHeapSmall(["--max-semi-space-size=2"], (flag) => flags.push(flag));
    expect(flags).toEqual([SMALL_OLD_GROWTH]);
  });
});
