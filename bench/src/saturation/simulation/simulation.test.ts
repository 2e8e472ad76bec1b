import { describe, expect, it } from "vitest";

import { EventQueue, Station } from "./event-queue.js";
import { scalingOf, simulateStep, workersAt } from "./index.js";
import type { CoordinatorCosts, Scenario } from "./index.js";

const FREE: CoordinatorCosts = { stepMs: 0, sendMs: 0, receiveMs: 0, addMs: 0, updateMs: 0 };
/** 10⁶ parameters are 32 · 10⁶ bits: 32 ms at 1 Gb/s. */
const IDEAL: Scenario = {
  ...{ numParameters: 1e6, numWorkers: 4, microShards: 8, leafMs: 10, gigabits: 1e9, costs: FREE },
  ...{ uploadFraction: 1, isLocal: false, uploadsLeaves: false },
};
const stepMs = (change: Partial<Scenario>): number => simulateStep({ ...IDEAL, ...change }).stepMs;

describe("a queue of events", () => {
  it("lets them happen by their time, and those of one time in the order of their planning", () => {
    const queue = new EventQueue();
    const happened: string[] = [];
    for (const [at, name] of [
      [3, "d"],
      [1, "a"],
      [2, "b"],
      [2, "c"],
      [0, "0"],
    ] as const) {
      queue.plan(at, () => happened.push(`${name}${queue.now}`));
    }
    queue.run();
    expect(happened).toEqual(["00", "a1", "b2", "c2", "d3"]);
  });

  it("lets what is planned meanwhile happen as well, never in the past", () => {
    const queue = new EventQueue();
    const times: number[] = [];
    queue.plan(5, () => queue.plan(1, () => times.push(queue.now)));
    queue.run();
    expect(times).toEqual([5]);
  });

  it("has stations that do one thing after the other", () => {
    const queue = new EventQueue();
    const station = new Station(queue);
    const done: number[] = [];
    queue.plan(10, () => {
      station.serve(4, () => done.push(queue.now));
      station.serve(3, () => done.push(queue.now));
    });
    queue.run();
    expect(done).toEqual([14, 17]);
    expect(station.busyMs).toBe(7);
  });
});

describe("a simulated step", () => {
  it("takes what the leaves of a worker take where nothing else takes time", () => {
    const { efficiency, bottleneck } = simulateStep(IDEAL);
    // 8 leaves · 10 ms / 4 workers.
    expect(stepMs({})).toBeCloseTo(20, 3);
    expect(efficiency).toBeCloseTo(1, 3);
    expect(bottleneck).toBe("workers");
  });

  it("shares the coordinator's link among all workers, both ways", () => {
    // Pieces of 2 ms, in turn: the first worker has its last one 3 pieces before the 4 · 32 ms are over. It
    // computes for 20 ms, its first piece is through its own link after 2 ms more, and from then on the
    // coordinator's link is at work for 4 · 32 ms.
    expect(stepMs({ gigabits: 1 })).toBeCloseTo(128 - 6 + 20 + 2 + 128, 3);
    // Half as much on the way up.
    expect(stepMs({ gigabits: 1, uploadFraction: 0.5 })).toBeCloseTo(128 - 6 + 20 + 1 + 64, 3);
    expect(stepMs({ gigabits: 1, isLocal: true })).toBeCloseTo(20, 3);
  });

  it("adds up what the coordinator's threads take", () => {
    // One after the other in one thread: 5 + 4 · 2 to send, 4 · 3 to receive.
    const main = { ...FREE, stepMs: 5, sendMs: 2, receiveMs: 3 };
    const busy = stepMs({ costs: main });
    expect(busy).toBeGreaterThan(5 + 8 + 20 + 12 - 0.5);
    expect(busy).toBeLessThan(5 + 8 + 20 + 12 + 0.5);
    // Four sums are added in a tree by one thread, three times, then the update.
    expect(stepMs({ costs: { ...FREE, addMs: 6, updateMs: 7 } })).toBeCloseTo(20 + 18 + 7, 3);
    // Eight leaves by themselves: seven times.
    const leaves = { costs: { ...FREE, addMs: 6, updateMs: 7 }, uploadsLeaves: true };
    expect(stepMs(leaves)).toBeCloseTo(20 + 42 + 7, 3);
  });

  it("has a lone worker without a sum to add", () => {
    const costs = { stepMs: 1, sendMs: 2, receiveMs: 4, addMs: 100, updateMs: 8 };
    expect(stepMs({ numWorkers: 1, costs })).toBeCloseTo(1 + 2 + 80 + 4 + 8, 3);
  });
});

describe("the number of workers at an efficiency", () => {
  it("lies between the points around it", () => {
    const costs = { ...FREE, receiveMs: 4 };
    const points = scalingOf({ ...IDEAL, microShards: 64, costs }, [1, 2, 4, 8, 16, 32]);
    // 640 / N ms to compute, 4 · N ms to receive: a half at N = √160, four fifths at N = √40.
    expect(workersAt(points, 0.5)).toBeCloseTo(Math.sqrt(160), 2);
    expect(workersAt(points, 0.8)).toBeCloseTo(Math.sqrt(40), 2);
    expect(workersAt(points, 0.01)).toBeUndefined();
    expect(workersAt(points, 0.999)).toBe(1);
  });
});
