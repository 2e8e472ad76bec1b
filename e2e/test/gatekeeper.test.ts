/** Bad machines and bad data are told apart: real workers, some of them behind a relay that changes what they send. */

import { writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  Cluster,
  endOf,
  ledgerOf,
  settingFlags,
  stepsOf,
  trainToTheEnd,
} from "./support/cluster.js";
import type { Program } from "./support/processes.js";
import { Relay } from "./support/relay.js";
import type { Altered } from "./support/relay.js";
import { expectVerified } from "./support/stories.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let cluster: Cluster | undefined;
const relays: Relay[] = [];

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
  for (const relay of relays.splice(0)) relay.close();
});

afterAll(async () => {
  await workspace.remove();
});

/** The digest of a run with one worker that nothing disturbs. */
async function undisturbed(name: string, settings: readonly string[]): Promise<string> {
  const options = { settings, workers: [{}] };
  const runDirectory = await trainToTheEnd(workspace.config, workspace.at(name), options);
  return endOf(await ledgerOf(runDirectory)).parametersSha256;
}

async function startCoordinator(name: string, settings: readonly string[]): Promise<Cluster> {
  const flags = settingFlags([...settings, "cluster.sharedMemory=false"]);
  cluster = await Cluster.start(workspace.config, workspace.at(name), flags);
  return cluster;
}

/** Real workers, each behind a relay, who all are there before the first step begins. */
async function addWorkers(
  running: Cluster,
  alterations: readonly ((altered: Altered) => void)[],
): Promise<readonly { readonly program: Program; readonly id: string }[]> {
  let isEverybodyHere: () => void = () => undefined;
  const begin = new Promise<void>((resolve) => (isEverybodyHere = resolve));
  const programs: Program[] = [];
  for (const alter of alterations) {
    const relay = await Relay.start(running.ready.address, { alter, begin });
    relays.push(relay);
    programs.push(running.addWorkerAt(relay.address));
  }
  await running.joined(programs.length);
  const workers = await Promise.all(
    programs.map(async (program) => {
      const id = (await running.statusOf(program))?.workerId;
      if (id === undefined) throw new Error("a worker has left already");
      return { program, id };
    }),
  );
  isEverybodyHere();
  return workers;
}

/** From the third step on: before it there is nothing to compare with. */
const FIRST_WRONG_STEP = 3;

/**
 * One of the workers is wrong for good: whoever is the first to send something of the third step, as a slow one may
 * have nothing to do.
 */
class Liar {
  index: number | undefined;
  readonly #alter: (values: Float32Array) => void;

  constructor(alter: (values: Float32Array) => void) {
    this.#alter = alter;
  }

  among(numWorkers: number): readonly ((altered: Altered) => void)[] {
    return Array.from({ length: numWorkers }, (_, index) => ({ step, values }: Altered): void => {
      if (step < FIRST_WRONG_STEP) return;
      this.index ??= index;
      if (this.index === index) this.#alter(values);
    });
  }

  of<T>(workers: readonly T[]): T {
    const liar = workers[this.index ?? -1];
    if (liar === undefined) throw new Error("nobody was wrong");
    return liar;
  }
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * factor;
}

/** What is told to those who watch, until the run ends. */
async function noticesOf(running: Cluster): Promise<readonly string[]> {
  const notices: string[] = [];
  for await (const event of running.client.watch()) {
    if (event.kind === "notice") notices.push(event.text);
  }
  return notices;
}

// Held until everybody is there, a lease must not expire on a busy machine.
const SHORT_RUN = ["training.maxSteps=6", "cluster.deadlineSeconds=60"];

describe("a worker whose gradients are a million times what they should be", () => {
  it("is quarantined with a sentence that says why; the result is that of a run without it", async () => {
    const settings = [...SHORT_RUN, "cluster.auditEverySteps=null"];
    const expected = await undisturbed("plain", settings);
    const running = await startCoordinator("million", settings);
    const notices = noticesOf(running);
    const liar = new Liar((values) => {
      multiply(values, 1e6);
    });
    const workers = await addWorkers(running, liar.among(3));
    await running.completed();
    const ends = await Promise.all(workers.map(({ program }) => program.finished()));
    const bad = liar.of(workers);
    expect(ends.map(({ code }) => code)).toEqual(workers.map((worker) => (worker === bad ? 1 : 0)));
    const sentence = new RegExp(
      `${bad.id} is quarantined: step 3, lea(f|ves) [\\d–]+ \\(an odd norm\\): its result has ` +
        "digest [0-9a-f]{12}, what worker-1-\\d and worker-1-\\d computed alike has [0-9a-f]{12}",
    );
    expect(liar.of(ends).stderr).toMatch(sentence);
    const accusations = (await notices).filter((text) => text.includes("quarantined"));
    expect(accusations).toHaveLength(1);
    expect(accusations[0]).toMatch(sentence);
    const { runDirectory } = running.ready;
    const ledger = await ledgerOf(runDirectory);
    expect(endOf(ledger).parametersSha256).toBe(expected);
    const accused = stepsOf(ledger).flatMap(({ step, lost }) =>
      lost.flatMap(({ worker, reason }) =>
        reason.includes("an odd norm") ? `${worker} in step ${step}` : [],
      ),
    );
    expect(new Set(accused)).toEqual(new Set([`${bad.id} in step 3`]));
    await expectVerified(runDirectory);
  });
});

describe("a worker that gets one bit wrong", () => {
  it("is found by an audit, before the gradient counts", async () => {
    // One leaf, so that what is audited is always the whole; and more workers than leaves.
    const settings = [...SHORT_RUN, "training.microShards=1", "cluster.auditEverySteps=1"];
    const expected = await undisturbed("one-leaf", settings);
    const running = await startCoordinator("one-bit", settings);
    const notices = noticesOf(running);
    const liar = new Liar((values) => {
      const bits = new Int32Array(values.buffer);
      bits[0] = (bits[0] ?? 0) ^ 1;
    });
    const workers = await addWorkers(running, liar.among(3));
    await running.completed();
    const ends = await Promise.all(workers.map(({ program }) => program.finished()));
    const bad = liar.of(workers);
    expect(ends.map(({ code }) => code)).toEqual(workers.map((worker) => (worker === bad ? 1 : 0)));
    const accusations = (await notices).filter((text) => text.includes("quarantined"));
    expect(accusations).toHaveLength(1);
    expect(accusations[0]).toMatch(
      new RegExp(`^${bad.id} is quarantined: step 3, leaf 0 \\(an audit\\)`),
    );
    const { runDirectory } = running.ready;
    expect(endOf(await ledgerOf(runDirectory)).parametersSha256).toBe(expected);
    await expectVerified(runDirectory);
  });
});

describe("two workers that disagree for good", () => {
  it("end the run with a sentence that names both: nobody can tell who is right", async () => {
    const settings = [
      ...["training.maxSteps=6", "cluster.deadlineSeconds=5", "cluster.auditEverySteps=null"],
    ];
    const running = await startCoordinator("tied", settings);
    // A power of two: the sum of a node's leaves is the same multiple, to the bit.
    const liar = new Liar((values) => {
      multiply(values, 2 ** 20);
    });
    await addWorkers(running, liar.among(2));
    const { code, stderr } = await running.coordinator.finished();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
      /step \d, lea(f|ves) [\d–]+ \(an odd norm\): workers disagree \(worker-1-\d [0-9a-f]{12} twice, worker-1-\d [0-9a-f]{12} twice\): another worker is needed/,
    );
  });
});

describe("a sample that is far out", () => {
  it("is named, and learned from as it is; no worker is accused, whoever computes it", async () => {
    const lines = Array.from({ length: 90 }, (_, index) => {
      const values = [0, 1, 2, 3].map((t) => [Math.sin(index + t)]);
      return JSON.stringify({
        inputs: values,
        targets: values.map(([x = 0]) => (index === 40 ? 1e6 : x)),
      });
    });
    await writeFile(workspace.at("series.jsonl"), `${lines.join("\n")}\n`);
    const config = workspace.at("series.yaml");
    await writeFile(
      config,
      JSON.stringify({
        ...{ name: "series", seed: 5 },
        data: { kind: "sequences", files: "series.jsonl" },
        model: { kind: "sequenceModel", hiddenSize: 8, loss: { kind: "meanSquared" } },
        training: { epochs: 4, batchSize: 12, microShards: 4 },
        optimizer: { kind: "adam", learningRate: 0.001 },
        cluster: { deadlineSeconds: 10, auditEverySteps: null },
      }),
    );
    const digests: string[] = [];
    for (const numWorkers of [1, 3]) {
      const runDirectory = workspace.at(`series-${numWorkers}`);
      const running = (cluster = await Cluster.start(config, runDirectory));
      const notices = noticesOf(running);
      for (let i = 0; i < numWorkers; i++) running.addWorker();
      await running.completed();
      const said = (await notices).filter((text) => text.includes("it is the data"));
      expect(said.length).toBeGreaterThan(0);
      for (const text of said) {
        expect(text).toMatch(/times the usual norm; .*computed the same bits/);
        expect(text).toMatch(/training sequences? .*\b41\b/);
      }
      expect((await notices).join("\n")).not.toContain("quarantined");
      digests.push(endOf(await ledgerOf(runDirectory)).parametersSha256);
      await running.close();
      cluster = undefined;
    }
    expect(digests[1]).toBe(digests[0]);
  });
});
