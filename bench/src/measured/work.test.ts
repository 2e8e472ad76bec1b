import { memory } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";

import { matrixProductWork, selectBackend } from "@ostinato/kernels/tensor";
import type { RepeatedWork } from "@ostinato/kernels/tensor";

import { MICRO_SHARDS, operationsOf, recurrentCases, trainingCases } from "../cases/index.js";
import { recurrentPass } from "./recurrent-pass.js";
import { timed } from "./timing.js";
import { halfGradients, trainingStep } from "./training-step.js";

const cases: [string, () => RepeatedWork][] = [
  ...recurrentCases(true).map(({ name, measured }): [string, () => RepeatedWork] => [
    name,
    () => recurrentPass(measured),
  ]),
  ...trainingCases(true, ["char128", "forecaster"]).flatMap(
    ({ name, measured }): [string, () => RepeatedWork][] => [
      [
        `a step of ${name}`,
        () => trainingStep({ kind: "trainingStep", microShards: MICRO_SHARDS, ...measured }),
      ],
      [
        `half of ${name}`,
        () => halfGradients({ kind: "halfGradients", microShards: MICRO_SHARDS, ...measured }),
      ],
    ],
  ),
  ["a product", () => matrixProductWork({ rows: 2, inner: 3, columns: 4 })],
];

beforeAll(() => selectBackend("wasm"));

describe("measured work", () => {
  it.each(cases)("leaves no tensor behind: %s", (_, create) => {
    const before = memory().numTensors;
    const work = create();
    work.once();
    const prepared = memory().numTensors;
    work.once();
    expect(memory().numTensors).toBe(prepared);
    work.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it("is done once at least, and no more often than it is counted", async () => {
    let count = 0;
    const work = {
      once: () => {
        count += 1;
      },
      dispose: () => undefined,
    };
    const timing = await timed(work, 1e-9);
    expect(timing.count).toBe(count);
    expect(count).toBeGreaterThan(0);
  });
});

describe("the operations of a pass", () => {
  it("are three products of each layer's rows and gates", () => {
    // Zaremba small, two LSTM layers: 35·20 positions · (200 + 200) rows · 800 columns · 2 · 3 passes · 2 layers.
    const [small] = recurrentCases(false);
    expect(small?.name).toBe("lstm T35 B20 200 ×2");
    expect(operationsOf(small!.measured)).toBe(700 * 400 * 800 * 2 * 3 * 2);
  });
});
