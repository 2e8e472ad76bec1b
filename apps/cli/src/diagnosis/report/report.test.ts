import type { Diagnosis } from "@ostinato/lstm/model";
import { describe, expect, it } from "vitest";

import type { VariantDiagnosis } from "../diagnose-config.js";
import { diagnosisJson, diagnosisText } from "./index.js";
import { short, table } from "./table.js";

/** A diagnosis whose only layer's hidden state has these norms by distance. */
const diagnosis = (norms: readonly number[], step = 0): Diagnosis => ({
  step,
  loss: 0.25,
  gradient: {
    global: 5,
    layers: [{ name: "layers.0", norm: 5 }],
    tensors: [{ name: "layers.0.kernel", norm: 5 }],
  },
  layers: [
    {
      name: "layers.0",
      outputGradientNorm: 2,
      byDistance: {
        hidden: { norms, factorPerStep: 0.1 },
        gates: { norms: norms.map((norm) => 3 * norm), factorPerStep: 0.2 },
      },
      gates: [{ gate: "forget", activation: "sigmoid", left: 0.125, right: 0.5 }],
    },
  ],
  update: {
    learningRate: 0.01,
    clipped: true,
    tensors: [{ name: "layers.0.kernel", weightNorm: 2, updateNorm: 0.001, ratio: 0.0005 }],
  },
});

const variant = (label: string | undefined, start: Diagnosis): VariantDiagnosis => ({
  label,
  start,
  training: undefined,
  end: undefined,
});

const report = (variants: readonly VariantDiagnosis[], comparedKey?: string) => ({
  file: "x.yaml",
  comparedKey,
  variants,
});

describe("the text of a diagnosis", () => {
  it("has each number in its table", () => {
    const text = diagnosisText(report([variant(undefined, diagnosis([1, 0.1, 0.01]))]));
    const rows = text.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(["layers.0", "0", "1", "0.1", "0.01", "2", "0.1"]);
    expect(rows).toContainEqual(["layers.0", "0", "3", "0.3", "0.03", "2", "0.2"]);
    expect(rows).toContainEqual(["layers.0", "5", "2"]);
    expect(rows).toContainEqual(["layers.0 forget", "sigmoid", "12.5 %", "50.0 %"]);
    expect(rows).toContainEqual(["layers.0.kernel", "5", "2", "0.001", "5.0e-4"]);
    expect(text).toContain("next update: learning rate 0.01, clipped");
    expect(text).not.toContain("training");
  });

  it("draws a letter for each curve on a logarithmic axis, and leaves out what is zero", () => {
    const norms = (factor: number) => Array.from({ length: 30 }, (_, k) => factor ** k);
    const variants = [
      variant("rnn", diagnosis([...norms(0.1).slice(0, 20), ...Array<number>(10).fill(0)])),
      variant("lstm", diagnosis(norms(1))),
    ];
    const text = diagnosisText(report(variants, "model.cell"));
    expect(text).toContain("a rnn   b lstm");
    const drawn = text.split("\n").filter((line) => /[┤│]/.test(line));
    // Ten to the minus nineteen is the last that is above zero.
    expect(drawn[0]).toMatch(/b{20}/);
    expect(drawn.at(-1)).toContain("a");
    expect(drawn.some((line) => line.includes("1e-1"))).toBe(true);
  });

  it("says it where there is nothing to draw and no next update", () => {
    const none = { ...diagnosis([0, NaN]), update: undefined };
    const text = diagnosisText(report([variant(undefined, none)]));
    expect(text).toContain("no gradient is above zero and finite: nothing to draw");
    expect(text).toContain("there is no next update: it is not finite");
    expect(text).toContain("not finite");
  });

  it("tells of training, and why it ended early", () => {
    const trained: VariantDiagnosis = {
      ...variant("none", diagnosis([1])),
      end: { ...diagnosis([1], 2), loss: 0.125 },
      training: {
        steps: 2,
        losses: [0.25, 0.2],
        gradientNorms: [3, 40],
        clippedSteps: 1,
        stopped: "the gradient norm of step 3 is Infinity",
      },
    };
    const text = diagnosisText(report([trained], "optimizer.clipping.kind"));
    const rows = text.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(["none", "2", "0.25", "0.125", "40", "50.0 %"]);
    expect(text).toContain("none stopped: the gradient norm of step 3 is Infinity");
  });
});

describe("the JSON of a diagnosis", () => {
  it("is one object, with null for what is not finite and what there is none of", () => {
    const found = { ...diagnosis([1, Infinity]), update: undefined };
    const text = diagnosisJson(report([variant("rnn", found)], "model.cell"));
    expect(text).not.toContain("\n");
    const object = JSON.parse(text) as Record<string, unknown>;
    expect(object).toMatchObject({ event: "diagnosis", config: "x.yaml", compared: "model.cell" });
    expect(object["variants"]).toMatchObject([
      {
        value: "rnn",
        training: null,
        end: null,
        start: {
          update: null,
          layers: [{ byDistance: { hidden: { norms: [1, null] }, gates: { norms: [3, null] } } }],
        },
      },
    ]);
  });
});

describe("short", () => {
  it.each([
    [undefined, "–"],
    [NaN, "not finite"],
    [0, "0"],
    [12.3456, "12.3"],
    [0.00123456, "0.00123"],
    [1.5e-9, "1.5e-9"],
    [-2.5e12, "-2.5e12"],
  ])("shows %d as %s", (value, text) => {
    expect(short(value)).toBe(text);
  });
});

describe("table", () => {
  it("aligns text at the left and numbers at the right", () => {
    expect(
      table(
        ["name", "norm"],
        [
          ["a", "1"],
          ["longer", "12345"],
        ],
      ),
    ).toBe("  name     norm\n  a           1\n  longer  12345\n");
  });
});
