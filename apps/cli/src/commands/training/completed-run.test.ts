import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { createRunDirectory, LedgerWriter, loadConfig, procProcesses } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";
import { ManualClock } from "@ostinato/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { completedRun } from "./completed-run.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-completed-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function configWith(...overrides: string[]): Promise<RunConfig> {
  writeFileSync(join(folder, "run.yaml"), "data: { files: book.txt }");
  return loadConfig({ file: join(folder, "run.yaml"), overrides });
}

describe("a run that is to be resumed", () => {
  it("is complete once it has its end, and not before", async () => {
    const config = await configWith();
    const path = join(folder, "run");
    const processes = procProcesses({ process, host: hostname() });
    const claimant = { processes, clock: new ManualClock(), deadlineMs: 1000 };
    const startedAt = new Date(0);
    const run = await createRunDirectory({ path, config, symbols: ["", "a"], startedAt, claimant });
    const ledger = LedgerWriter.create(run.paths.ledger);
    ledger.append({ type: "profile", backend: "wasm", version: "1", digest: "d" });
    await ledger.close();
    expect(await completedRun(path, config)).toBeUndefined();
    await expect(completedRun(path, await configWith("seed=9"))).rejects.toMatchObject({
      code: "trajectoryChanged",
      message:
        "seed is 9, but the run was begun with 1: a resume cannot change it; with neither CONFIG nor " +
        "that key in --set it goes on as it was begun",
    });
    const end = {
      outcome: "completed",
      step: 12,
      parametersSha256: "a".repeat(64),
      ledger: { head: "h", offset: 1 },
    } as const;
    await run.writeEnd(end);
    expect(await completedRun(path, config)).toEqual({
      end,
      text: `${path}: the run is complete at step 12; nothing to resume`,
    });
    // That it is complete is no answer to who wants another result of it.
    const longer = await configWith("training.epochs=9");
    await expect(completedRun(path, longer)).rejects.toMatchObject({ code: "trajectoryChanged" });
    run.claim.release();
  });

  it("may be none at all", async () => {
    await expect(completedRun(folder, await configWith())).rejects.toMatchObject({
      code: "notARun",
    });
  });
});
