/** The tests can fail: with a promise broken on purpose the validator finds it broken. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { MUTATIONS } from "../src/mutations/index.js";
import type { Mutation } from "../src/mutations/index.js";
import { describeFault } from "../src/schedule/index.js";
import type { Schedule } from "../src/schedule/index.js";
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

function scheduleFor({ fault, run = "text", workers = 3 }: Mutation): Schedule {
  const at = { step: fault?.step ?? 0, phase: fault?.phase ?? "", nth: fault?.nth ?? 1 };
  const { kind = "", slot = 0, values = {} } = fault ?? {};
  return {
    seed: 0,
    run,
    maxSteps: MAX_STEPS,
    workers,
    isEncrypted: false,
    faults: fault === undefined ? [] : [{ id: 1, kind, slot, at, values }],
  };
}

/** Each schedule once: several mutations show under the same. */
function faultsAlone(): readonly { readonly title: string; readonly schedule: Schedule }[] {
  const schedules = MUTATIONS.map(scheduleFor).filter(({ faults }) => faults.length > 0);
  const titleOf = ({ run, workers, faults }: Schedule): string =>
    `${faults.map(describeFault).join()} (${run}, ${workers})`;
  const byTitle = new Map(schedules.map((schedule) => [titleOf(schedule), schedule]));
  return [...byTitle].map(([title, schedule]) => ({ title, schedule }));
}

describe("the validator notices", () => {
  it.each(MUTATIONS)("$name, by its check $noticedBy", async (mutation) => {
    const { problems } = await trial.run(scheduleFor(mutation), mutation);
    expect(problems.map(({ check }) => check)).toContain(mutation.noticedBy);
  });

  it.each(faultsAlone())("nothing under $title alone", async ({ schedule }) => {
    const { problems } = await trial.run(schedule);
    expect(problems).toEqual([]);
  });
});
