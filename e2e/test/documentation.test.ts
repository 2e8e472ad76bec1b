/** Every key of the library has its line in docs/training, and the examples there are what a config takes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  clippingSchema,
  compileModelSpec,
  compileOptimizerSpec,
  compileSchedule,
  earlyStoppingSchema,
  gradientNoiseSchema,
  initializationSchema,
  lossSchema,
} from "@ostinato/lstm";
import { loadConfig, loadRunOrTaskConfig } from "@ostinato/run";
import { describe, expect, it } from "vitest";

import { repository } from "./support/workspace.js";

type Keys = Readonly<Record<string, unknown>>;

const page = (name: string): string =>
  readFileSync(join(repository, "docs/training", `${name}.md`), "utf8");

const sizes = { input: { kind: "values", size: 1 }, numTargets: 1 };
const vocabularies = { sourceVocabularySize: 3, targetVocabularySize: 3, startId: 0, endId: 1 };
const models: readonly Keys[] = [
  compileModelSpec({ kind: "languageModel", vocabularySize: 3 }),
  compileModelSpec({ kind: "sequenceModel", ...sizes, loss: { kind: "huber" } }),
  compileModelSpec({ kind: "encoderDecoder", ...vocabularies }),
];
const NEEDED = ["input", "numTargets", "loss", "vocabularySize", ...Object.keys(vocabularies)];

const documented: Readonly<Record<string, readonly Keys[]>> = {
  models,
  gradients: [{ gradients: "float32", gradientLeaves: null }],
  losses: [
    "meanSquared",
    "meanAbsolute",
    "huber",
    "quantile",
    "gaussian",
    "studentT",
    "binaryCrossEntropy",
    "crossEntropy",
    "ctc",
  ].map((kind) => lossSchema.parse({ kind })),
  optimizers: [
    ...["sgd", "momentum", "averagedSgd", "adagrad", "rmsprop", "adam", "adamw", "lamb"].map(
      (kind) => compileOptimizerSpec({ kind, groups: [{ match: "*" }] }),
    ),
    ...["none", "globalNorm", "value", "layer", "adaptive"].map((kind) =>
      clippingSchema.parse({ kind }),
    ),
    gradientNoiseSchema.parse({ scale: 1 }),
  ],
  schedules: [
    { kind: "constant" },
    { kind: "step", stepSize: 1 },
    { kind: "multiStep", milestones: [1] },
    { kind: "exponential", gamma: 1 },
    { kind: "polynomial", totalSteps: 9 },
    { kind: "cosine", totalSteps: 9 },
    { kind: "cosineRestarts", firstPeriod: 9 },
    { kind: "oneCycle", totalSteps: 9 },
    { kind: "inverseSqrt", warmupSteps: 1 },
    { kind: "decayFromEpoch", fullEpochs: 1 },
    { kind: "plateau" },
    earlyStoppingSchema.parse({ patience: 1 }) ?? {},
  ].map((raw: Keys) => ("kind" in raw ? compileSchedule(raw) : raw)),
  initialization: initializationSchema.parse(
    [
      { kind: "uniform", range: 1 },
      { kind: "normal", std: 1 },
      { kind: "truncatedNormal", std: 1 },
      { kind: "glorotUniform" },
      { kind: "glorotNormal" },
      { kind: "heUniform" },
      { kind: "heNormal" },
      { kind: "lecunUniform" },
      { kind: "lecunNormal" },
      { kind: "orthogonal" },
      { kind: "identity" },
      { kind: "constant", value: 1 },
      { kind: "zeros" },
      { kind: "chrono", maxTime: 9 },
    ].map((initializer) => ({ match: "*", ...initializer })),
  ),
};

describe.each(Object.entries(documented))("docs/training/%s.md", (name, groups) => {
  const text = page(name);

  it("has a place for every kind and key", () => {
    const words = groups.flatMap((group) => [
      ...Object.keys(group),
      ...(typeof group["kind"] === "string" ? [group["kind"]] : []),
    ]);
    const missing = [...new Set(words)].filter((word) => !text.includes(`\`${word}\``));
    expect(missing).toEqual([]);
  });

  it("has examples that a config takes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ostinato-documentation-"));
    try {
      const examples = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = ""]) => yaml);
      for (const yaml of examples.filter((each) => !each.startsWith("loss:"))) {
        const file = join(folder, "example.yaml");
        writeFileSync(file, yaml);
        // What one example leaves to the other groups of a config.
        const overrides = ["data.files=x.txt", "evaluation.everySteps=500"];
        await expect(loadConfig({ file, overrides })).resolves.toBeDefined();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("docs/training/models.md", () => {
  /** The first two cells of each row of a table. */
  const rows = [...page("models").matchAll(/^\| (`[^|]*`) +\| ([^|]*?) +\|/gm)].map(
    ([, keys = "", byDefault = ""]) => [keys.replaceAll("`", ""), byDefault] as const,
  );

  it.each(models.map((spec) => [spec["kind"], spec] as const))(
    "tells the defaults of a %s",
    (_, spec) => {
      for (const [key, value] of Object.entries(spec)) {
        if (key === "kind" || NEEDED.includes(key)) continue;
        const defaults = rows.filter(([keys]) => keys === key).map(([, byDefault]) => byDefault);
        const shown = Array.isArray(value) ? "none" : String(value);
        expect(defaults, key).not.toEqual([]);
        for (const byDefault of defaults) expect(byDefault.replaceAll("`", ""), key).toBe(shown);
      }
    },
  );
});

describe("docs/training/diagnose.md", () => {
  const text = page("diagnose");
  /** The default of each key of a task config's own groups, as the table has it. */
  const documentedDefaults = new Map(
    [...text.matchAll(/^\| `((?:data|model|training|diagnose)[^`]*)` +\| ([^|]*?) +\|/gm)].map(
      ([, key = "", byDefault = ""]) => [key, byDefault],
    ),
  );
  const OWN_GROUPS = ["data", "training", "diagnose"];

  async function taskConfig(kind: string): Promise<Readonly<Record<string, unknown>>> {
    const folder = mkdtempSync(join(tmpdir(), "ostinato-documentation-"));
    try {
      const file = join(folder, "task.yaml");
      writeFileSync(file, `data: { kind: ${kind} }\n`);
      const { config } = await loadRunOrTaskConfig({ file });
      return { ...config };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it("has every key of a task config with its default, and no other", async () => {
    const found = new Map<string, unknown>();
    for (const kind of ["addingProblem", "copyTask"]) {
      expect(text).toContain(`\`${kind}\``);
      const config = await taskConfig(kind);
      for (const [group, keys] of Object.entries(config)) {
        if (!OWN_GROUPS.includes(group)) {
          // As in a run config, or a sequence model's.
          expect(text).toContain(`\`${group}\``);
          continue;
        }
        for (const [key, value] of Object.entries(keys as Keys)) {
          found.set(`${group}.${key}`, key === "kind" ? "" : value);
        }
      }
    }
    for (const [key, value] of found) expect(documentedDefaults.get(key), key).toBe(String(value));
    const others = [...documentedDefaults.keys()].filter((key) => !found.has(key));
    expect(others).toEqual(["model", "model.loss"]);
  });
});
