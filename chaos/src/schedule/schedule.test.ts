import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../faults/index.js";
import { describeFault, drawSchedule, seedsPerBlock } from "./schedule.js";

const kindsOf = (seed: number): string[] =>
  drawSchedule(seed, CATALOGUE).faults.map(({ kind }) => kind);

describe("drawSchedule", () => {
  it("draws the same from the same seed, and other faults from another one", () => {
    expect(drawSchedule(42, CATALOGUE)).toEqual(drawSchedule(42, CATALOGUE));
    expect(drawSchedule(43, CATALOGUE)).not.toEqual(drawSchedule(42, CATALOGUE));
  });

  it("is the same on every machine: these are seed 42's", () => {
    const { run, workers, isEncrypted, faults } = drawSchedule(42, CATALOGUE);
    expect({ run, workers, isEncrypted, faults: faults.map(describeFault) }).toMatchSnapshot();
  });

  it("has every kind in the seeds of each block, 1 to 7 the first, and no kind twice in a seed", () => {
    const numSeeds = seedsPerBlock(CATALOGUE);
    expect(numSeeds).toBe(7);
    for (const block of [0, 1, 2, 142, 2 ** 20]) {
      const first = 1 + block * numSeeds;
      const shares = Array.from({ length: numSeeds }, (_, index) => kindsOf(first + index));
      for (const kinds of shares) expect(new Set(kinds).size).toBe(6);
      expect(new Set(shares.flat()).size).toBe(CATALOGUE.length);
    }
  });

  it("lets any two kinds meet in some of a nightly run's thousand seeds", () => {
    const met = new Set<string>();
    for (let seed = 1; seed <= 1000; seed++) {
      const kinds = kindsOf(seed).sort();
      kinds.forEach((kind, i) => {
        for (const other of kinds.slice(i + 1)) met.add(`${kind} ${other}`);
      });
    }
    expect(met.size).toBe((CATALOGUE.length * (CATALOGUE.length - 1)) / 2);
  });

  it("lets faults follow each other in steps of their own, of workers that are there", () => {
    for (let seed = 0; seed < 200; seed++) {
      const { faults, workers } = drawSchedule(seed, CATALOGUE);
      const steps = faults.map(({ at }) => at.step);
      expect(new Set(steps).size).toBe(steps.length);
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
      for (const { slot, at } of faults) {
        expect(slot).toBeLessThanOrEqual(workers);
        expect(at.nth).toBeGreaterThan(0);
      }
      // Faults of workers that are not there yet would wait, and come all at once.
      expect(faults.slice(1).map(({ kind }) => kind)).not.toContain("workersJoinLate");
    }
  });
});
