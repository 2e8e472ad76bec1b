/** Encoder–decoders in a cluster: the same promises as for other models, and translation with the result. */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
  folder = await mkdtemp(join(tmpdir(), "ostinato-pairs-"));
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

interface Story {
  readonly name: string;
  readonly model: object;
  readonly pairOf: (letters: readonly string[], draw: (bound: number) => number) => object;
}

const STORIES: readonly Story[] = [
  {
    name: "characters into tokens with attention, weights and every dropout",
    model: {
      ...{ bidirectionalEncoder: true, numLayers: 2, attention: "additive" },
      ...{ dropout: 0.2, inputDropout: 0.1, outputDropout: 0.1, labelSmoothing: 0.1 },
    },
    // A target of no token among them.
    pairOf: (letters, draw) => ({
      source: letters.join(""),
      target: letters.slice(1).map((letter) => `${letter}-word`),
      weight: 0.1 * (draw(9) + 1),
    }),
  },
  {
    name: "tokens into characters without attention, with batch normalization",
    model: { cell: "gru", attention: "none", normalization: "batch" },
    pairOf: (letters) => ({ source: letters, target: letters.toReversed().join("") }),
  },
];

async function writeStory({ model, pairOf }: Story, name: string): Promise<string> {
  const draw = draws(name.length);
  const lines = Array.from({ length: 90 }, () => {
    const letters = Array.from({ length: draw(6) + 1 }, () => "abcd"[draw(4)] ?? "");
    return `${JSON.stringify(pairOf(letters, draw))}\n`;
  });
  await writeFile(join(folder, `${name}.jsonl`), lines.join(""));
  const config = join(folder, `${name}.yaml`);
  // 72 pairs for training: five steps of 13 and a last one of 7, for eight leaves, in each epoch.
  const raw = {
    ...{ name, seed: 5 },
    data: { kind: "pairs", files: `${name}.jsonl` },
    model: { kind: "encoderDecoder", hiddenSize: 10, embeddingSize: 6, ...model },
    training: { epochs: 4, batchSize: 13, microShards: 8 },
    optimizer: { kind: "adam", learningRate: 0.01 },
    evaluation: { everySteps: 6, batchSize: 8 },
    checkpoints: { everySteps: 5 },
    cluster: { deadlineSeconds: 10 },
  };
  await writeFile(config, JSON.stringify(raw));
  return config;
}

/** A run whose coordinator is killed in the middle, and goes on. */
async function trainWithAKill(config: string, runDirectory: string): Promise<void> {
  const cluster = await Cluster.start(config, runDirectory);
  try {
    cluster.addWorker();
    await waitFor("step 8 in the ledger", async () => {
      const { step = 0 } = stepsOf(await ledgerOf(runDirectory)).at(-1) ?? {};
      return step >= 8 || undefined;
    });
    cluster.coordinator.kill("SIGKILL");
    await cluster.coordinator.finished();
  } finally {
    await cluster.close();
  }
  const resumed = await Cluster.start(config, runDirectory, ["--resume"]);
  try {
    resumed.addWorker();
    resumed.addWorker();
    await resumed.completed();
  } finally {
    await resumed.close();
  }
}

describe.each(STORIES.map((story, index) => ({ ...story, story, index })))(
  "$name",
  ({ story, index }) => {
    it("ends with the same bits for one worker, three, and a stop and a resume", async () => {
      const name = `pairs${"i".repeat(index + 1)}`;
      const config = await writeStory(story, name);
      const alone = await trainToTheEnd(config, join(folder, `${name}-alone`), { workers: [{}] });
      const three = await trainToTheEnd(config, join(folder, `${name}-three`), {
        workers: [{}, {}, {}],
      });
      const stopped = join(folder, `${name}-stopped`);
      await trainWithAKill(config, stopped);

      const reference = await ledgerOf(alone);
      expect(stepsOf(reference)).toHaveLength(24);
      const losses = stepsOf(reference).map(({ loss }) => loss ?? NaN);
      expect(losses.at(-1)).toBeLessThan(losses[0] ?? NaN);
      for (const runDirectory of [alone, three, stopped]) {
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
      expect(JSON.parse(evaluated.stdout)).toMatchObject({
        ...{ loss: test.loss, numSamples: 9, lossKind: "crossEntropy", lossUnit: "nats" },
      });

      // What the model is of, told by a changed file of vocabularies.
      const vocabulary = join(alone, "vocabulary.json");
      const text = await readFile(vocabulary, "utf8");
      await writeFile(vocabulary, text.replace('"a","b"', '"A","b"'));
      const tampered = await run(["verify", alone]);
      expect(`${tampered.code} ${tampered.stdout}`).toMatch(
        /^1 .*vocabulary\.json: the tokens of its source are not those of the data/s,
      );
    });
  },
);

interface Pair {
  readonly source: string;
  readonly target: readonly string[];
}

const parsed = <T>(lines: string): T[] =>
  lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

/** It trains the example to its end: a minute of both cores, and more where something else runs beside it. */
const EXAMPLE_MS = 360_000;

describe("the example of a translator", () => {
  it(
    "has the data that its program makes, learns to spell, and translates",
    async () => {
      const examples = join(repository, "examples");
      const program = join(examples, "data/make-numbers.mjs");
      const { stdout: made } = await promisify(execFile)(process.execPath, [program]);
      expect(made).toBe(await readFile(join(examples, "data/numbers.jsonl"), "utf8"));
      const runDirectory = join(folder, "translate");
      const { code, stdout, stderr } = await run(
        ["train", join(examples, "translate.yaml"), "--run-dir", runDirectory],
        { longestLifeMs: EXAMPLE_MS - 60_000 },
      );
      expect(`${code} ${stderr}`).toMatch(/^0 .*pairs\/s.*completed at step 480\n$/s);
      expect(stdout).toMatch(
        /nats per target token\n\npairs of the test part\n( {2}"\d+" → \[.*\n){5}/,
      );
      expect(stdout).toContain(`npx ostinato translate ${runDirectory} --text`);

      // The last tenth: no number of it was trained on, nor was anything chosen by it.
      const unseen = parsed<Pair>(made).slice(-160);
      const input = join(folder, "unseen.jsonl");
      await writeFile(
        input,
        unseen.map(({ source }) => `${JSON.stringify({ source })}\n`).join(""),
      );
      const translated = await run(["translate", runDirectory, "--input", input]);
      expect(`${translated.code} ${translated.stderr}`).toBe("0 ");
      const translations = parsed<Pair & { readonly score: number }>(translated.stdout);
      expect(translations).toHaveLength(unseen.length);
      const numRight = translations.filter(
        ({ target }, n) => JSON.stringify(target) === JSON.stringify(unseen[n]?.target),
      ).length;
      // All of them where this was written; a model that had learnt next to nothing would have none.
      expect(numRight).toBeGreaterThan(140);
      for (const { score } of translations) expect(score).toBeLessThan(0);

      const one = await run([
        ...["translate", runDirectory, "--text", "7x", "--n-best", "3", "--length-penalty", "0.6"],
      ]);
      expect(`${one.code} ${one.stderr}`).toBe(
        '0 ostinato: not in the sources that were trained on: "x"\n',
      );
      expect(parsed<{ readonly nBest: readonly unknown[] }>(one.stdout)[0]?.nBest).toHaveLength(3);

      const wrong = join(folder, "wrong.jsonl");
      await writeFile(wrong, '{"source": "1"}\n{"source": ["1"]}\n');
      for (const [command, refusal] of [
        [
          ["translate", runDirectory, "--input", wrong],
          /^2 ostinato: .*wrong\.jsonl:2: source is a list of tokens; it must be a string, as in the data/,
        ],
        [["translate", runDirectory, "--text", ""], /^2 ostinato: --text: "" has no token/],
        [
          ["generate", runDirectory],
          /^2 ostinato: generate needs a languageModel; this run has an encoderDecoder: give its sources to ostinato translate\n$/,
        ],
        [
          ["predict", runDirectory, "--input", input],
          /^2 ostinato: predict needs a sequenceModel; .*ostinato translate\n$/,
        ],
      ] as const) {
        const refused = await run([...command]);
        expect(`${refused.code} ${refused.stderr}`).toMatch(refusal);
        expect(refused.stdout).toBe("");
      }
    },
    EXAMPLE_MS,
  );
});
