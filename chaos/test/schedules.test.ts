/** Real clusters under faults: a fixed set of seeds, and more of them where OSTINATO_CHAOS_SCHEDULES says so. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CATALOGUE } from "../src/faults/index.js";
import { describeFault, drawSchedule, seedsPerBlock } from "../src/schedule/index.js";
import type { Schedule, ScheduledFault } from "../src/schedule/index.js";
import { createTrial } from "../src/trial/index.js";
import type { Trial } from "../src/trial/index.js";

/** The first block of seeds, which has every kind of fault. */
const SHORT_SET = seedsPerBlock(CATALOGUE);
const numSchedules = Number(process.env["OSTINATO_CHAOS_SCHEDULES"] ?? SHORT_SET);
const seeds = Array.from({ length: numSchedules }, (_, index) => index + 1);

let folder: string;
let trial: Trial;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-chaos-"));
  trial = createTrial({ folder });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("every promise is kept", () => {
  it.each(seeds)("under the faults of seed %i", async (seed) => {
    const schedule = drawSchedule(seed, CATALOGUE);
    const { problems } = await trial.run(schedule);
    const faults = schedule.faults.map(describeFault).join("\n");
    expect(problems.map(({ check, text }) => `${check}: ${text}`).join("\n"), faults).toBe("");
  });
});

/** Slot 1 alone, then all four, then two of them, then four again. */
const COMING_AND_GOING: readonly Omit<ScheduledFault, "id">[] = [
  {
    ...{ kind: "workersJoinLate", slot: 0, values: { workers: 3 } },
    at: { step: 5, phase: "lease", nth: 1 },
  },
  {
    ...{ kind: "workerLeaves", slot: 2, values: { steps: 12 } },
    at: { step: 12, phase: "lease", nth: 1 },
  },
  {
    ...{ kind: "workerLeaves", slot: 1, values: { steps: 8 } },
    at: { step: 14, phase: "end", nth: 1 },
  },
];

describe("every promise is kept, and every count of workers seen", () => {
  it.each([true, false])("where they come and go, encrypted: %s", async (isEncrypted) => {
    const schedule: Schedule = {
      ...{ seed: 0, run: "text", workers: 4, isEncrypted },
      faults: COMING_AND_GOING.map((fault, index) => ({ id: index + 1, ...fault })),
    };
    const { problems, workersOfSteps } = await trial.run(schedule);
    expect(problems).toEqual([]);
    expect(workersOfSteps).toEqual(expect.arrayContaining([1, 4, 2]));
  });
});

describe("a fault whose moment does not come", () => {
  it("at a worker that has no past yet waits for a later step", async () => {
    const at = (step: number, phase: string): ScheduledFault["at"] => ({ step, phase, nth: 1 });
    const schedule: Schedule = {
      ...{ seed: 0, run: "text", maxSteps: 24, workers: 3, isEncrypted: false },
      faults: [
        { id: 1, kind: "workerKill", slot: 3, at: at(8, "lease"), values: {} },
        { id: 2, kind: "uploadStale", slot: 3, at: at(9, "begin"), values: {} },
      ],
    };
    const { problems } = await trial.run(schedule);
    expect(problems).toEqual([]);
  });
});
