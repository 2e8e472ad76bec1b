import { describe, expect, it } from "vitest";

import { compileKeys } from "../keys/index.js";
import { LstmError } from "../lstm-error.js";
import { createLoss, lossSchema } from "./index.js";
import type { LossOptions } from "./index.js";

describe("lossSchema", () => {
  it.each([
    [{ kind: "meanSquared" }, {}],
    [{ kind: "meanAbsolute" }, {}],
    [{ kind: "huber" }, { delta: 1 }],
    [{ kind: "quantile" }, { quantiles: [0.1, 0.5, 0.9] }],
    [{ kind: "gaussian" }, { epsilon: 1e-6 }],
    [{ kind: "studentT" }, { epsilon: 1e-6 }],
    [{ kind: "binaryCrossEntropy" }, { positiveWeight: 1 }],
    [{ kind: "crossEntropy" }, { classWeights: [], ignoredIndex: -100, labelSmoothing: 0 }],
    [{ kind: "ctc" }, { blankIndex: 0, zeroInfinity: false }],
  ])("fills in the defaults of %o", (raw, defaults) => {
    const spec = compileKeys(lossSchema, raw, { code: "invalidLoss", group: "loss" });
    expect(spec).toEqual({ ...raw, ...defaults });
    expect(Object.isFrozen(spec)).toBe(true);
  });
});

describe("createLoss", () => {
  it.each([
    [{ kind: "meanSquared" }, "values", 3, 3],
    [{ kind: "meanAbsolute" }, "values", 3, 3],
    [{ kind: "huber" }, "values", 3, 3],
    [{ kind: "binaryCrossEntropy" }, "values", 3, 3],
    [{ kind: "quantile", quantiles: [0.2, 0.8] }, "values", 6, 3],
    [{ kind: "gaussian" }, "values", 6, 3],
    [{ kind: "studentT" }, "values", 9, 3],
    [{ kind: "crossEntropy" }, "classes", 3, 1],
    [{ kind: "ctc" }, "labelSequences", 3, undefined],
  ] as const)(
    "tells what %o needs for 3 targets",
    (options, targetKind, outputSize, targetSize) => {
      const loss = createLoss(options, { numTargets: 3 });
      expect(loss).toMatchObject({ kind: options.kind, targetKind, outputSize });
      expect("targetSize" in loss ? loss.targetSize : undefined).toBe(targetSize);
    },
  );

  const quantiles = "it must be numbers above 0 and below 1, each larger than the one before";

  it.each([
    [{ kind: "hinge" }, /^loss.kind is "hinge"; it must be 'meanSquared', .* or 'ctc'$/],
    [{}, /^loss.kind is missing; it must be 'meanSquared', /],
    [{ kind: "huber", delta: 0 }, "loss.delta is 0; it must be a number above 0 and up to 3.4e38"],
    [{ kind: "huber", dleta: 1 }, "loss.dleta is not a key of loss (kind, delta)"],
    [{ kind: "quantile", quantiles: [0.5, 0.1] }, `loss.quantiles is [0.5,0.1]; ${quantiles}`],
    [{ kind: "quantile", quantiles: [0.5, 0.5] }, `loss.quantiles is [0.5,0.5]; ${quantiles}`],
    [{ kind: "quantile", quantiles: [0, 0.5] }, `loss.quantiles[0] is 0; ${quantiles}`],
    [{ kind: "quantile", quantiles: [0.5, 1] }, `loss.quantiles[1] is 1; ${quantiles}`],
    [{ kind: "quantile", quantiles: [] }, `loss.quantiles is []; ${quantiles}`],
    [
      { kind: "gaussian", epsilon: -1 },
      "loss.epsilon is -1; it must be a number above 0 and up to 3.4e38",
    ],
    [
      { kind: "binaryCrossEntropy", positiveWeight: NaN },
      "loss.positiveWeight is NaN; it must be a number above 0 and up to 3.4e38",
    ],
    [
      { kind: "crossEntropy", classWeights: [1, -1, 1] },
      "loss.classWeights[1] is -1; it must be a list with a number from 0 to 3.4e38 for each class",
    ],
    [
      { kind: "crossEntropy", classWeights: [1, 2] },
      "loss.classWeights is [1,2]; it must have a weight for each of 3 classes, or be empty",
    ],
    [
      { kind: "crossEntropy", labelSmoothing: 1 },
      "loss.labelSmoothing is 1; it must be a number from 0 to below 1",
    ],
    [
      { kind: "crossEntropy", ignoredIndex: 0.5 },
      "loss.ignoredIndex is 0.5; it must be a whole number from -2147483648 to 2147483647",
    ],
    [{ kind: "ctc", blankIndex: 3 }, "loss.blankIndex is 3; it must be a label from 0 to 2"],
    [{ kind: "ctc", zeroInfinity: 1 }, "loss.zeroInfinity is 1; it must be true or false"],
  ])("refuses %o", (options, message) => {
    const create = (): unknown => createLoss(options as LossOptions, { numTargets: 3 });
    expect(create).toThrow(message);
    expect(create).toThrow(expect.objectContaining({ code: "invalidLoss" }));
  });

  it.each([0, 1.5, NaN])("refuses %d targets", (numTargets) => {
    expect(() => createLoss({ kind: "huber" }, { numTargets })).toThrow(
      new LstmError(
        "invalidLoss",
        `loss.numTargets is ${numTargets}; it must be a whole number from 1`,
      ),
    );
  });
});
