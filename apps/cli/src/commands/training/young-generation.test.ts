import { execFileSync } from "node:child_process";

import { describe, expect, it } from "vitest";

import { NO_GROWTH } from "./young-generation.js";

/** Allocates what survives for a while, and prints how big the space for young objects is then, in bytes. */
const GROW = `
const { getHeapSpaceStatistics } = require('node:v8');
const kept = [];
for (let round = 0; round < 300; round++) {
  kept.push(Array.from({ length: 2000 }, (_, i) => ({ i, list: [i] })));
  if (kept.length > 20) kept.shift();
}
const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
process.stdout.write(String(space.space_size));
`;

function sizeAfter(before: string): number {
  return Number(execFileSync(process.execPath, ["-e", before + GROW], { encoding: "utf8" }));
}

describe("the space for young objects", () => {
  it("stays small with the flag that is set while the process runs, and grows without", () => {
    const small = sizeAfter(`require('node:v8').setFlagsFromString(${JSON.stringify(NO_GROWTH)});`);
    // 16 MiB in each half by default; what it starts with is below 2.
    expect(sizeAfter("")).toBeGreaterThan(16 * 2 ** 20);
    expect(small).toBeLessThan(5 * 2 ** 20);
  });
});
