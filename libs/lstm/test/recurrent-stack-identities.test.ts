/**
 * What must be the same bit for bit: rows of different lengths in one batch and each row by itself, two
 * directions and two stacks of which one reads backwards, whatever stands in the padding.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import type { RecurrentStackSpec } from "../src/index.js";
import { backends, bitsOf, randomValues, specOf } from "./language-models.js";
import { anySpec, MODEL_CASES } from "./model-specs.js";
import { randomRow, runStack, stackLayout } from "./recurrent-stacks.js";
import type { RowState, StackModel, StackRowResult, StackRunResult } from "./recurrent-stacks.js";

const shape = { inputSize: 3, prefix: "", firstMaskLayer: 0 };
const training = { seed: 6, step: 2 };

const stateBits = (states: readonly (readonly RowState[])[]): string[] =>
  states.flat().flatMap(({ h, c }) => [bitsOf(h), bitsOf(c)]);

function rowBits({ outputs, final, inputGradient, initialGradient }: StackRowResult): unknown {
  return {
    outputs: outputs.map(bitsOf),
    final: stateBits(final),
    inputGradient: inputGradient.map(bitsOf),
    initialGradient: stateBits(initialGradient),
  };
}

/** Of one leaf: its rows and its gradients. */
function leafBits({ rows, gradients }: StackRunResult, index: number): unknown {
  return {
    rows: rows[index]!.map(rowBits),
    gradients: [...gradients].map(([name, perLeaf]) => [name, bitsOf(perLeaf[index]!)]),
  };
}

function randomLeaves(
  model: StackModel,
  lengths: readonly number[],
  seed: number,
): { readonly leaf: number; readonly rows: ReturnType<typeof randomRow>[] }[] {
  return lengths.map((length, leaf) => ({ leaf, rows: [randomRow(model, length, seed + leaf)] }));
}

const randomParameters = (model: StackModel, seed: number): Float32Array =>
  randomValues(seed)(stackLayout(model).size, 0.8);

/** Running statistics in evaluation. */
const running = (): { mean: Float64Array; variance: Float64Array } => ({
  mean: new Float64Array(12).fill(0.25),
  variance: new Float64Array(12).fill(0.5),
});

describe.each(backends)("on %s, rows of different lengths", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([false, true])(
    "are what each row is by itself, in two directions: %s",
    (bidirectional) => {
      const anyCase = fc.record({
        spec: anySpec(fc.integer({ min: 1, max: 6 })),
        lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        more: fc.integer({ min: 0, max: 2 }),
        isTraining: fc.boolean(),
        seed: fc.integer({ min: 0, max: 1e6 }),
      });
      fc.assert(
        fc.property(anyCase, ({ spec, lengths, more, isTraining, seed }) => {
          const model = { spec, bidirectional, ...shape };
          const parameters = randomParameters(model, seed);
          const leaves = randomLeaves(model, lengths, seed);
          const call = { model, parameters, running, training: isTraining ? training : undefined };
          const numSteps = Math.max(...lengths) + more;
          const together = runStack({ ...call, leaves, numSteps });
          for (const [index, leaf] of leaves.entries()) {
            const alone = runStack({ ...call, leaves: [leaf] });
            expect(leafBits(together, index)).toEqual(leafBits(alone, 0));
          }
        }),
        { numRuns: 25 },
      );
    },
  );

  it.each(MODEL_CASES)("learn nothing from padding, and put zeros there: $name", ({ spec }) => {
    const model = { spec, bidirectional: true, ...shape };
    const parameters = randomParameters(model, 5);
    const leaves = [3, 1].map((first, leaf) => ({
      leaf,
      rows: [first, 4, 2].map((length, row) => randomRow(model, length, 10 * leaf + row)),
    }));
    const call = { model, parameters, leaves, training, numSteps: 5 };
    const clean = runStack(call);
    for (const gradientInPadding of [1e6, NaN]) {
      const spoilt = runStack({ ...call, gradientInPadding });
      for (const index of leaves.keys()) {
        expect(leafBits(spoilt, index)).toEqual(leafBits(clean, index));
        for (const { padding } of spoilt.rows[index]!) {
          // Not toEqual, to which 0 and −0 are different.
          expect(padding.every((value) => value === 0)).toBe(true);
        }
      }
    }
  });

  it.each(MODEL_CASES)("that are all as long as the batch need no padding: $name", ({ spec }) => {
    const model = { spec, bidirectional: true, ...shape };
    const parameters = randomParameters(model, 5);
    const leaves = randomLeaves(model, [4, 4, 4], 9);
    const call = { model, parameters, leaves, training };
    const told = runStack({ ...call, alwaysPadded: true });
    const untold = runStack(call);
    for (const index of leaves.keys()) {
      expect(leafBits(told, index)).toEqual(leafBits(untold, index));
    }
  });

  // In the padding the state grows a thousandfold a step, beyond all numbers, and then to none.
  it.each([
    { zoneoutHidden: 0, weight: 1000, other: 1000 },
    { zoneoutHidden: 0, weight: 1000, other: -1000 },
    { zoneoutHidden: 0.5, weight: 1000, other: -900 },
  ])(
    "stay finite where a relu overflows in the padding: %o",
    ({ zoneoutHidden, weight, other }) => {
      const spec = specOf({
        cell: "rnn",
        activation: "relu",
        numLayers: 2,
        hiddenSize: 4,
        dropout: 0,
        zoneoutHidden,
      });
      for (const bidirectional of [false, true]) {
        const model = { spec, bidirectional, ...shape };
        const { tensors } = stackLayout(model);
        const parameters = randomParameters(model, 5);
        for (const { name, offset, shape: extents } of tensors) {
          if (!name.endsWith("kernel")) continue;
          // The recurrent rows: 4 × 4, a positive diagonal.
          const first = offset + (extents[0]! - 4) * 4;
          for (let k = 0; k < 16; k++) parameters[first + k] = k % 5 === 0 ? weight : other;
        }
        const lengths = [1, 40, 2];
        const leaves = randomLeaves(model, lengths, 3).filter((_, leaf) => leaf !== 1);
        const call = { model, parameters, leaves, training };
        const together = runStack({ ...call, numSteps: 40 });
        for (const [index, leaf] of leaves.entries()) {
          const alone = runStack({ ...call, leaves: [leaf] });
          expect(leafBits(together, index)).toEqual(leafBits(alone, 0));
          const values = [...together.gradients.values()].map((perLeaf) => perLeaf[index]!);
          expect(values.every((ofTensor) => ofTensor.every(Number.isFinite))).toBe(true);
          for (const { outputs, inputGradient, padding } of together.rows[index]!) {
            expect([...outputs, ...inputGradient].every((x) => x.every(Number.isFinite))).toBe(
              true,
            );
            expect(padding.every((value) => value === 0)).toBe(true);
          }
        }
      }
    },
  );
});

describe.each(backends)("on %s, two directions", (backend) => {
  beforeAll(() => selectBackend(backend));

  // One layer without a normalization of its own, which reads both directions.
  const cases = MODEL_CASES.filter(({ spec }) => spec.normalization === "none").map(
    ({ name, spec }) => ({ name, spec: { ...spec, numLayers: 1 } }),
  );

  it.each(cases)("are two stacks, of which one reads backwards: $name", ({ spec }) => {
    const both = { spec, bidirectional: true, ...shape };
    const [ahead, back] = [
      { spec, bidirectional: false, ...shape },
      // The masks of the way back are those of layers from 65 536 on.
      { spec, bidirectional: false, ...shape, firstMaskLayer: 65_536 },
    ];
    const parameters = randomParameters(both, 5);
    const layout = stackLayout(both);
    const lengths = [4, 2, 3];
    const leaves = randomLeaves(both, lengths, 21);
    const together = runStack({ model: both, parameters, leaves, training });

    const size = outputSize(spec);
    const partOf = (model: StackModel, direction: 0 | 1): StackRunResult => {
      const turned = <T>(steps: readonly T[]): T[] =>
        direction === 0 ? [...steps] : [...steps].reverse();
      const half = (x: Float32Array): Float32Array =>
        x.slice(direction * size, (direction + 1) * size);
      return runStack({
        model,
        training,
        parameters: parameters.slice(
          (direction * layout.size) / 2,
          ((direction + 1) * layout.size) / 2,
        ),
        leaves: leaves.map(({ leaf, rows }) => ({
          leaf,
          rows: rows.map((row) => ({
            inputs: turned(row.inputs),
            initial: row.initial.map((states) => [states[direction]!]),
            gradient: turned(row.gradient.map(half)),
            finalGradient: row.finalGradient.map((states) => [states[direction]!]),
          })),
        })),
      });
    };
    const parts = [partOf(ahead, 0), partOf(back, 1)] as const;
    for (const index of leaves.keys()) {
      const [row] = together.rows[index]!;
      const [[ofAhead], [ofBack]] = [parts[0].rows[index]!, parts[1].rows[index]!];
      const backOutputs = [...ofBack!.outputs].reverse();
      const outputs = ofAhead!.outputs.map((x, t) => Float32Array.of(...x, ...backOutputs[t]!));
      expect(row!.outputs.map(bitsOf)).toEqual(outputs.map(bitsOf));
      expect(stateBits(row!.final)).toEqual([
        ...stateBits(ofAhead!.final),
        ...stateBits(ofBack!.final),
      ]);
      expect(stateBits(row!.initialGradient)).toEqual([
        ...stateBits(ofAhead!.initialGradient),
        ...stateBits(ofBack!.initialGradient),
      ]);
      const backGradient = [...ofBack!.inputGradient].reverse();
      const inputGradient = ofAhead!.inputGradient.map((x, t) =>
        x.map((value, j) => value + backGradient[t]![j]!),
      );
      expect(row!.inputGradient.map(bitsOf)).toEqual(inputGradient.map(bitsOf));
      for (const [direction, part] of (["forward", "backward"] as const).entries()) {
        for (const [name, perLeaf] of parts[direction]!.gradients) {
          const wanted = name.replace("layers.0.", `layers.0.${part}.`);
          expect(bitsOf(together.gradients.get(wanted)![index]!), wanted).toBe(
            bitsOf(perLeaf[index]!),
          );
        }
      }
    }
  });
});

const outputSize = ({ projectionSize, hiddenSize }: RecurrentStackSpec): number =>
  projectionSize ?? hiddenSize;
