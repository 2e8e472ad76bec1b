/** Sequence models in a cluster: the same promises as for language models, for each kind of data. */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, endOf, ledgerOf, stepsOf, trainToTheEnd } from "./support/cluster.js";
import { run } from "./support/processes.js";
import { waitFor } from "./support/waiting.js";
import { repository } from "./support/workspace.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-sequences-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** Whole numbers below a bound from a linear congruential generator: the same on every machine. */
function draws(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

type Draw = (bound: number) => number;

interface Story {
  readonly name: string;
  readonly model: object;
  readonly sampleOf: (draw: Draw, index: number) => object;
  /** Whether some steps have no target that counts. */
  readonly hasIdleSteps?: boolean;
}

const listOf = <T>(length: number, create: (index: number) => T): T[] =>
  Array.from({ length }, (_, i) => create(i));

const STORIES: readonly Story[] = [
  {
    name: "a forecaster of values at every step, with weights and dropout between layers",
    model: { numLayers: 2, dropout: 0.25, loss: { kind: "meanSquared" } },
    sampleOf: (draw) => {
      const values = listOf(draw(6) + 3, () => [draw(100) / 50 - 1, draw(100) / 50 - 1]);
      const targets = values.map(([a = 0, b = 0]) => a * 0.5 - b * 0.25);
      return { inputs: values, targets, weight: 0.1 * (draw(9) + 1) };
    },
  },
  {
    name: "a classifier of tokens by their last step, with class weights",
    model: {
      ...{ embeddingSize: 6, output: "lastStep", bidirectional: true, inputDropout: 0.1 },
      loss: { kind: "crossEntropy", classWeights: [1, 0.3] },
    },
    sampleOf: (draw) => {
      const inputs = listOf(draw(7) + 1, () => draw(5));
      return { inputs, targets: inputs[0] === 3 || inputs[0] === 4 ? 1 : 0 };
    },
  },
  {
    name: "a reader of label sequences by CTC, with batch normalization",
    model: { numLayers: 2, normalization: "batch", loss: { kind: "ctc" } },
    sampleOf: (draw) => {
      const targets = listOf(draw(3) + 1, () => draw(3) + 1);
      const inputs = targets.flatMap((label) =>
        listOf(draw(2) + 2, (t) => [t === 0 ? label : 0, draw(100) / 100]),
      );
      return { inputs, targets };
    },
  },
  {
    name: "a tagger most of whose training targets are ignored",
    model: { loss: { kind: "crossEntropy", ignoredIndex: 9 } },
    hasIdleSteps: true,
    sampleOf: (draw, index) => {
      const inputs = listOf(draw(5) + 1, () => draw(4));
      // Of the 72 for training two have targets: at most two of an epoch's six steps.
      const isIgnored = index < 72 && index % 36 !== 0;
      return { inputs, targets: inputs.map((id) => (isIgnored ? 9 : id % 2)) };
    },
  },
];

async function writeStory({ model, sampleOf }: Story, name: string): Promise<string> {
  const draw = draws(name.length);
  const lines = listOf(90, (index) => `${JSON.stringify(sampleOf(draw, index))}\n`);
  await writeFile(join(folder, `${name}.jsonl`), lines.join(""));
  const config = join(folder, `${name}.yaml`);
  // 72 sequences for training: five steps of 13 and a last one of 7, for eight leaves, in each epoch.
  const raw = {
    ...{ name, seed: 5 },
    data: { kind: "sequences", files: `${name}.jsonl` },
    model: { kind: "sequenceModel", hiddenSize: 10, ...model },
    training: { epochs: 4, batchSize: 13, microShards: 8 },
    optimizer: { kind: "adam", learningRate: 0.01 },
    evaluation: { everySteps: 6, batchSize: 8 },
    checkpoints: { everySteps: 5 },
    cluster: { deadlineSeconds: 10 },
  };
  await writeFile(config, JSON.stringify(raw));
  return config;
}

describe.each(STORIES.map((story, index) => ({ ...story, story, index })))(
  "$name",
  ({ story, index }) => {
    it("ends with the same bits for one worker, three, and a stop and a resume", async () => {
      const name = `story${"i".repeat(index + 1)}`;
      const config = await writeStory(story, name);
      const alone = await trainToTheEnd(config, join(folder, `${name}-alone`), { workers: [{}] });
      const three = await trainToTheEnd(config, join(folder, `${name}-three`), {
        workers: [{}, {}, {}],
      });
      const stopped = join(folder, `${name}-stopped`);
      const cluster = await Cluster.start(config, stopped);
      try {
        cluster.addWorker();
        await waitFor("step 8 in the ledger", async () => {
          const { step = 0 } = stepsOf(await ledgerOf(stopped)).at(-1) ?? {};
          return step >= 8 || undefined;
        });
        cluster.coordinator.kill("SIGKILL");
        await cluster.coordinator.finished();
      } finally {
        await cluster.close();
      }
      const resumed = await Cluster.start(config, stopped, ["--resume"]);
      try {
        resumed.addWorker();
        resumed.addWorker();
        await resumed.completed();
      } finally {
        await resumed.close();
      }

      const reference = await ledgerOf(alone);
      expect(stepsOf(reference)).toHaveLength(24);
      const losses = stepsOf(reference).flatMap(({ loss }) => loss ?? []);
      const numIdle = stepsOf(reference).filter(({ lossWeight }) => lossWeight === 0).length;
      expect(numIdle > 0).toBe(story.hasIdleSteps === true);
      expect(losses).toHaveLength(24 - numIdle);
      expect(losses.at(-1)).toBeLessThan(losses[0] ?? NaN);
      for (const runDirectory of [alone, three, stopped]) {
        expect(await readdir(runDirectory)).not.toContain("vocabulary.json");
        const ledger = await ledgerOf(runDirectory);
        expect(endOf(ledger).parametersSha256).toBe(endOf(reference).parametersSha256);
        const samples = stepsOf(ledger).map((step) => step.leaves.map(({ digest }) => digest));
        expect(samples).toEqual(
          stepsOf(reference).map((step) => step.leaves.map(({ digest }) => digest)),
        );
        const { code, stdout } = await run(["verify", runDirectory]);
        expect(`${code} ${stdout}`).toMatch(
          /^0 .*verified: 24 steps, 4 whole epochs with each sample used once, 288 samples/,
        );
      }
      // An epoch's order is its own.
      const [first, again] = [0, 6].map((step) => stepsOf(reference)[step]?.leaves[0]?.digest);
      expect(first).not.toBe(again);

      const test = reference.records.find(
        (record) => record.type === "evaluation" && record.split === "test",
      );
      if (test?.type !== "evaluation") throw new Error("the test part was not evaluated");
      const evaluated = await run(["evaluate", alone, "--json"]);
      expect(JSON.parse(evaluated.stdout)).toMatchObject({ loss: test.loss, numSamples: 9 });
    });
  },
);

describe("what one does with a sequence model", () => {
  it("is to predict; it does not write", async () => {
    const classifier = STORIES[1];
    if (classifier === undefined) throw new Error("no classifier");
    const config = await writeStory(classifier, "predicting");
    const runDirectory = join(folder, "predicting");
    await trainToTheEnd(config, runDirectory, { workers: [{}] });
    const input = join(folder, "predicting.jsonl");
    const { code, stdout } = await run(["predict", runDirectory, "--input", input]);
    expect(code).toBe(0);
    const predictions = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly outputs: number[]; readonly classes: number });
    expect(predictions).toHaveLength((await readFile(input, "utf8")).trimEnd().split("\n").length);
    for (const { outputs, classes } of predictions) {
      expect(outputs).toHaveLength(2);
      expect(classes).toBe(outputs[1]! > outputs[0]! ? 1 : 0);
    }
    await writeFile(join(folder, "unknown.jsonl"), '{"inputs": [1]}\n{"inputs": [9]}\n');
    const unknown = await run(["predict", runDirectory, "--input", join(folder, "unknown.jsonl")]);
    expect(`${unknown.code} ${unknown.stderr}`).toMatch(
      /^2 ostinato: .*unknown\.jsonl:2: inputs has 9; the model knows the tokens 0 to 4\n$/,
    );
    const writing = await run(["generate", runDirectory]);
    expect(`${writing.code} ${writing.stderr}`).toMatch(
      /^2 ostinato: generate needs a languageModel; this run has a sequenceModel/,
    );
  });
});

describe("the example of a forecaster", () => {
  it("has the data that its program makes, and trains as it stands", async () => {
    const examples = join(repository, "examples");
    const program = join(examples, "data/make-readings.mjs");
    const { stdout: made } = await promisify(execFile)(process.execPath, [program]);
    expect(made).toBe(await readFile(join(examples, "data/readings.jsonl"), "utf8"));
    const runDirectory = join(folder, "forecast");
    const { code, stdout, stderr } = await run([
      ...["train", join(examples, "forecast.yaml"), "--run-dir", runDirectory],
      ...["--set", "training.maxSteps=60"],
    ]);
    expect(`${code} ${stderr}`).toMatch(/^0 .*sequences\/s.*completed at step 60\n$/s);
    const [, loss = "none"] = /loss on the held-out test part {2}([\d.]+)\n/.exec(stdout) ?? [];
    // What always saying 0 would come to: the mean square of the test part is 0.25.
    expect(Number(loss)).toBeLessThan(0.05);
    expect(stdout).toContain(`npx ostinato predict ${runDirectory} --input FILE.jsonl`);
  });
});
