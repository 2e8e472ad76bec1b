/** Gradients in bfloat16: another result than in float32, and the same one whoever computes it. */

import type { StepRecord } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { endOf, ledgerOf, settingFlags, stepsOf, trainToTheEnd } from "./support/cluster.js";
import { run } from "./support/processes.js";
import {
  expectVerified,
  trainWithKilledCoordinator,
  trainWithKilledWorker,
} from "./support/stories.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

/** Eight leaves, of which two are added up before their sum is rounded: four nodes. */
const ROUNDED = ["numerics.gradients=bfloat16", "numerics.gradientLeaves=2"];
const STREAM_ALONE = "cluster.sharedMemory=false";

let workspace: Workspace;
/** Final parameters of an undisturbed run with one worker. */
let reference: string;

async function train(
  name: string,
  numWorkers: number,
  settings: readonly string[],
): Promise<string> {
  const workers = Array.from({ length: numWorkers }, () => ({}));
  return trainToTheEnd(workspace.config, workspace.at(name), { settings, workers });
}

const widthsOf = (steps: readonly StepRecord[]): ReadonlySet<number> =>
  new Set(steps.flatMap(({ nodes }) => nodes.map(({ count }) => count)));

const workersOf = ({ nodes }: StepRecord): number => new Set(nodes.map((n) => n.worker)).size;

beforeAll(async () => {
  workspace = await createWorkspace();
  const runDirectory = await train("one-worker", 1, ROUNDED);
  const ledger = await ledgerOf(runDirectory);
  reference = endOf(ledger).parametersSha256;
  expect(widthsOf(stepsOf(ledger))).toEqual(new Set([2]));
  await expectVerified(runDirectory);
});

afterAll(async () => {
  await workspace.remove();
});

describe("with gradients in bfloat16 the final parameters", () => {
  it("are the same with three workers, in two bytes a value over the stream", async () => {
    const runDirectory = await train("three-workers", 3, [...ROUNDED, STREAM_ALONE]);
    const ledger = await ledgerOf(runDirectory);
    expect(endOf(ledger).parametersSha256).toBe(reference);
    expect(stepsOf(ledger).some((step) => workersOf(step) === 3)).toBe(true);
    expect(widthsOf(stepsOf(ledger))).toEqual(new Set([2]));
    await expectVerified(runDirectory);
  });

  it("are the same when a worker is killed in the middle of a lease", async () => {
    const runDirectory = workspace.at("killed-worker");
    const workerId = await trainWithKilledWorker(workspace.config, runDirectory, ROUNDED);
    const ledger = await ledgerOf(runDirectory);
    const lost = stepsOf(ledger).flatMap((step) => step.lost);
    expect(lost.filter(({ worker }) => worker === workerId)).not.toEqual([]);
    expect(endOf(ledger).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });

  it("are the same when the coordinator is killed and the run resumed with more workers", async () => {
    const runDirectory = workspace.at("killed-coordinator");
    await trainWithKilledCoordinator(workspace.config, runDirectory, {
      ...{ numWorkers: 1, settings: ROUNDED },
    });
    const ledger = await ledgerOf(runDirectory);
    const resume = ledger.records.find((record) => record.type === "resume");
    expect(resume).toBeDefined();
    expect(endOf(ledger).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });
});

describe("a run with gradients in bfloat16", () => {
  const lossesOf = async (name: string): Promise<readonly number[]> => {
    const { records } = await ledgerOf(workspace.at(name));
    return records.flatMap((record) =>
      record.type === "evaluation" && record.split === "validation" ? [record.loss ?? NaN] : [],
    );
  };

  it("learns as one in float32 does, to other parameters", async () => {
    const runDirectory = await train("float32", 2, [STREAM_ALONE]);
    expect(endOf(await ledgerOf(runDirectory)).parametersSha256).not.toBe(reference);
    const [rounded, exact] = [await lossesOf("one-worker"), await lossesOf("float32")];
    expect(rounded.length).toBeGreaterThan(2);
    // Rounding to 8 bits moves each value of a gradient by 0.4% at most: hardly more than that of what was learnt.
    const learnt = exact[0]! - exact.at(-1)!;
    expect(learnt).toBeGreaterThan(0.1 * exact[0]!);
    expect(Math.abs(rounded.at(-1)! - exact.at(-1)!)).toBeLessThan(0.01 * learnt);
    expect(rounded).not.toEqual(exact);
  });

  it("is not gone on with in float32, nor rounded at another level", async () => {
    for (const setting of ["numerics.gradients=float32", "numerics.gradientLeaves=4"]) {
      const settings = [
        ...ROUNDED.filter((each) => !each.startsWith(setting.split("=")[0]!)),
        setting,
      ];
      const isFloat32 = setting.endsWith("float32");
      const flags = settingFlags(isFloat32 ? [setting] : settings);
      const resumed = await run([
        ...["coordinator", workspace.config, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        ...["--run-dir", workspace.at("one-worker"), "--resume", ...flags],
      ]);
      expect(resumed.code).toBe(2);
      expect(resumed.stderr).toMatch(
        /^ostinato: .*numerics\.gradient(s|Leaves) is .*resume cannot change it/,
      );
    }
  });
});
