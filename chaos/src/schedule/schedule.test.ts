import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../faults/index.js";
import { describeFault, drawSchedule } from "./schedule.js";

describe("drawSchedule", () => {
  it("draws the same from the same seed, and other faults from another one", () => {
    expect(drawSchedule(42, CATALOGUE)).toEqual(drawSchedule(42, CATALOGUE));
    expect(drawSchedule(43, CATALOGUE)).not.toEqual(drawSchedule(42, CATALOGUE));
  });

  it("is the same on every machine: these are seed 42's", () => {
    const { run, workers, isEncrypted, faults } = drawSchedule(42, CATALOGUE);
    expect({ run, workers, isEncrypted, faults: faults.map(describeFault) }).toMatchSnapshot();
  });

  it("has every kind in some seeds that follow each other, wherever they begin", () => {
    const numSeeds = Math.ceil(CATALOGUE.length / 6);
    for (const first of [0, 1, 1000, 2 ** 30]) {
      const seeds = Array.from({ length: numSeeds }, (_, index) => first + index);
      const kinds = new Set(
        seeds.flatMap((seed) => drawSchedule(seed, CATALOGUE).faults.map(({ kind }) => kind)),
      );
      expect(kinds.size).toBe(CATALOGUE.length);
    }
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
