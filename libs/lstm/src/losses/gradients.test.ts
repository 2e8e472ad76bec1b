import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createLoss } from "./index.js";
import type {
  LabelSequencesCall,
  LossOptions,
  LossTotals,
  PositionCall,
  WithGradient,
} from "./index.js";

/**
 * Central differences of the float64 sum. Outputs are multiples of 2⁻⁶ and the step is 2⁻¹², so that
 * both are exact in float32. Targets lie between these multiples: no difference is taken over a kink.
 */
const GRID = 2 ** -6;
const STEP = 2 ** -12;
/** h²/6 of the third derivative (up to 10 for these arguments): 1e-7; float32's rounding: 1e-7. */
const TOLERANCE = 1e-6;

const onGrid = (limit: number): fc.Arbitrary<number> =>
  fc.integer({ min: -limit / GRID, max: limit / GRID }).map((n) => n * GRID);
const betweenGrid = onGrid(3).map((value) => value + GRID / 2);
const weight = fc.constantFrom(0, 0.5, 1, 2);
const float32s = (value: fc.Arbitrary<number>, length: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(value, { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values));
const int32s = (value: fc.Arbitrary<number>, length: number): fc.Arbitrary<Int32Array> =>
  fc
    .array(value, { minLength: length, maxLength: length })
    .map((values) => Int32Array.from(values));

interface Differentiable<Call> {
  evaluate(call: Call): LossTotals;
  gradient(call: WithGradient<Call>): LossTotals;
}

function expectDifferences<Call extends { readonly outputs: Float32Array }>(
  loss: Differentiable<Call>,
  call: Call,
): void {
  const outputGradient = new Float32Array(call.outputs.length).fill(NaN);
  loss.gradient({ ...call, outputGradient });
  for (let i = 0; i < call.outputs.length; i++) {
    const at = (shift: number): number => {
      const outputs = call.outputs.with(i, call.outputs[i]! + shift);
      return loss.evaluate({ ...call, outputs }).lossSum;
    };
    const difference = (at(STEP) - at(-STEP)) / (2 * STEP);
    const allowed = TOLERANCE * Math.max(1, Math.abs(difference));
    expect(Math.abs(outputGradient[i]! - difference), `gradient ${i}`).toBeLessThan(allowed);
  }
}

const sizes = fc.record({
  numTargets: fc.integer({ min: 1, max: 4 }),
  numSteps: fc.integer({ min: 0, max: 3 }),
  numRows: fc.integer({ min: 1, max: 3 }),
});

type ValuesOptions = Exclude<LossOptions, { readonly kind: "crossEntropy" | "ctc" }>;

const epsilon = fc.double({ min: 0.25, max: 1, noNaN: true });

const VALUES_OPTIONS: readonly (readonly [string, fc.Arbitrary<ValuesOptions>])[] = [
  ["meanSquared", fc.constant({ kind: "meanSquared" })],
  ["meanAbsolute", fc.constant({ kind: "meanAbsolute" })],
  [
    "huber",
    fc.record({ kind: fc.constant("huber"), delta: onGrid(2).map((d) => Math.abs(d) + GRID) }),
  ],
  [
    "quantile",
    fc.record({
      kind: fc.constant("quantile"),
      quantiles: fc
        .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 4 })
        .map((percents) => percents.sort((a, b) => a - b).map((percent) => percent / 100)),
    }),
  ],
  ["gaussian", fc.record({ kind: fc.constant("gaussian"), epsilon })],
  ["studentT", fc.record({ kind: fc.constant("studentT"), epsilon })],
  [
    "binaryCrossEntropy",
    fc.record({
      kind: fc.constant("binaryCrossEntropy"),
      positiveWeight: fc.double({ min: 0.25, max: 4, noNaN: true }),
    }),
  ],
];

describe("gradients equal central differences", () => {
  it.each(VALUES_OPTIONS)("%s", (_, options) => {
    const cases = fc.tuple(options, sizes).chain(([chosen, { numTargets, numSteps, numRows }]) => {
      const loss = createLoss(chosen, { numTargets });
      const numPositions = numSteps * numRows;
      const target =
        chosen.kind === "binaryCrossEntropy" ? fc.constantFrom(0, 1, 0.25) : betweenGrid;
      const call: fc.Arbitrary<PositionCall<Float32Array>> = fc.record({
        outputs: float32s(onGrid(2), numPositions * loss.outputSize),
        numRows: fc.constant(numRows),
        targets: float32s(target, numPositions * loss.targetSize),
        weights: float32s(weight, numPositions),
      });
      return fc.tuple(fc.constant(loss), call);
    });
    fc.assert(fc.property(cases, ([loss, call]) => expectDifferences(loss, call)));
  });

  it("crossEntropy", () => {
    const cases = sizes.chain(({ numTargets, numSteps, numRows }) => {
      const numPositions = numSteps * numRows;
      return fc.record({
        classWeights: fc.oneof(
          fc.constant([]),
          fc.array(weight, { minLength: numTargets, maxLength: numTargets }),
        ),
        labelSmoothing: fc.constantFrom(0, 0.1, 0.75),
        numTargets: fc.constant(numTargets),
        call: fc.record({
          outputs: float32s(onGrid(3), numPositions * numTargets),
          numRows: fc.constant(numRows),
          targets: int32s(
            fc.oneof(fc.constant(-100), fc.integer({ min: 0, max: numTargets - 1 })),
            numPositions,
          ),
          weights: float32s(weight, numPositions),
        }),
      });
    });
    fc.assert(
      fc.property(cases, ({ numTargets, call, ...options }) => {
        expectDifferences(createLoss({ kind: "crossEntropy", ...options }, { numTargets }), call);
      }),
    );
  });

  it("ctc", () => {
    const cases = fc
      .record({
        numTargets: fc.integer({ min: 2, max: 4 }),
        numSteps: fc.integer({ min: 0, max: 5 }),
        numRows: fc.integer({ min: 1, max: 3 }),
        longest: fc.integer({ min: 0, max: 3 }),
      })
      .chain(({ numTargets, numSteps, numRows, longest }) => {
        const call: fc.Arbitrary<LabelSequencesCall> = fc.record({
          outputs: float32s(onGrid(3), numSteps * numRows * numTargets),
          numRows: fc.constant(numRows),
          inputLengths: int32s(fc.integer({ min: 0, max: numSteps }), numRows),
          targets: int32s(fc.integer({ min: 1, max: numTargets - 1 }), numRows * longest),
          targetLengths: int32s(fc.integer({ min: 0, max: longest }), numRows),
          weights: float32s(weight, numRows),
        });
        return fc.record({ numTargets: fc.constant(numTargets), call });
      });
    fc.assert(
      fc.property(cases, ({ numTargets, call }) => {
        expectDifferences(createLoss({ kind: "ctc", zeroInfinity: true }, { numTargets }), call);
      }),
    );
  });
});
