/** The tests can fail: with a promise broken on purpose the validator finds it broken. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { MUTATIONS } from "../src/mutations/index.js";
import type { Mutation } from "../src/mutations/index.js";
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

function scheduleFor({ fault }: Mutation): Schedule {
  const at = { step: fault?.step ?? 0, phase: fault?.phase ?? "", nth: 1 };
  const { kind = "", slot = 0, values = {} } = fault ?? {};
  return {
    seed: 0,
    run: "text",
    workers: 3,
    faults: fault === undefined ? [] : [{ id: 1, kind, slot, at, values }],
  };
}

/** One mutation for each fault: several share one, whose schedule is the same without them. */
const byFault = new Map(
  MUTATIONS.filter(({ fault }) => fault !== undefined).map((mutation) => [
    JSON.stringify(mutation.fault),
    mutation,
  ]),
);

describe("the validator notices", () => {
  it.each(MUTATIONS)("$name, by its check $noticedBy", async (mutation) => {
    const { problems } = await trial.run(scheduleFor(mutation), mutation);
    expect(problems.map(({ check }) => check)).toContain(mutation.noticedBy);
  });

  it.each([...byFault.values()])("nothing under the fault of $name alone", async (mutation) => {
    const { problems } = await trial.run(scheduleFor(mutation));
    expect(problems).toEqual([]);
  });
});
