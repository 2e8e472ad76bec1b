/** The tests can fail: with a promise broken on purpose the validator finds it broken. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { MUTATIONS } from "../src/mutations/index.js";
import type { Mutation, MutationFault } from "../src/mutations/index.js";
import { describeFault } from "../src/schedule/index.js";
import type { Schedule, ScheduledFault } from "../src/schedule/index.js";
import { createTrial } from "../src/trial/index.js";
import type { Trial } from "../src/trial/index.js";

let folder: string;
let trial: Trial;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-mutations-"));
  trial = createTrial({ folder });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Enough for what each of them breaks to show, and half of what the run would take. */
const MAX_STEPS = 24;

function scheduleFor({ faults, run = "text", workers = 3 }: Mutation): Schedule {
  return {
    ...{ seed: 0, run, maxSteps: MAX_STEPS, workers, isEncrypted: false },
    faults: faults.map(scheduled),
  };
}

function scheduled(fault: MutationFault, index: number): ScheduledFault {
  const { kind, slot, step, phase, nth = 1, values = {} } = fault;
  return { id: index + 1, kind, slot, at: { step, phase, nth }, values };
}

/** Every kind of fault of those mutations whose run has so many workers, one after the other. */
function controlFor(workers: number): Schedule {
  const of = MUTATIONS.filter((mutation) => (mutation.workers ?? 3) === workers);
  const kinds = new Map(of.flatMap(({ faults }) => faults.map((fault) => [fault.kind, fault])));
  const faults = [...kinds.values()].map((fault, index) => ({ ...fault, step: 4 + 2 * index }));
  return scheduleFor({ ...of[0], faults, workers } as Mutation);
}

describe("the validator notices", () => {
  it.each(MUTATIONS)("$name, by its check $noticedBy", async (mutation) => {
    const { problems } = await trial.run(scheduleFor(mutation), mutation);
    expect(problems.map(({ check }) => check)).toContain(mutation.noticedBy);
  });

  it.each([1, 3])("nothing under the same faults of %i workers alone", async (workers) => {
    const schedule = controlFor(workers);
    const { problems } = await trial.run(schedule);
    expect(problems, schedule.faults.map(describeFault).join("\n")).toEqual([]);
  });
});
