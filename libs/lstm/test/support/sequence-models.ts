/** Small sequence models and batches of rows of different lengths for the tests of `./model`. */
import fc from "fast-check";

import { compileModelSpec, createLoss, parameterLayout } from "../../src/index.js";
import type { SequenceModelSpec } from "../../src/index.js";
import type { SequenceBatch } from "../../src/model/index.js";
import { randomValues } from "../language-models.js";
import { anyRate, anyStack } from "./any-stack.js";

export type Changes = Readonly<Record<string, unknown>>;

export function sequenceSpecOf(changes: Changes = {}): SequenceModelSpec {
  return compileModelSpec({
    kind: "sequenceModel",
    input: { kind: "values", size: 3 },
    hiddenSize: 4,
    numTargets: 2,
    loss: { kind: "meanSquared" },
    ...changes,
  });
}

const anyLoss: fc.Arbitrary<Changes> = fc.oneof(
  fc.constantFrom(
    { kind: "meanSquared" },
    { kind: "meanAbsolute" },
    { kind: "gaussian" },
    { kind: "studentT" },
    { kind: "ctc" },
  ),
  fc.record({ kind: fc.constant("huber"), delta: fc.constantFrom(0.3, 1) }),
  fc.record({
    kind: fc.constant("quantile"),
    quantiles: fc.constantFrom([0.5], [0.1, 0.5, 0.8]),
  }),
  fc.record({ kind: fc.constant("binaryCrossEntropy"), positiveWeight: fc.constantFrom(1, 3) }),
  fc.record({
    kind: fc.constant("crossEntropy"),
    labelSmoothing: anyRate,
    ignoredIndex: fc.constantFrom(-100, 1),
  }),
);

/**
 * Any valid combination of all keys.
 *
 * @param sizes of the layers, the projection, the inputs and the embedding.
 */
export const anySequenceSpec = (sizes: fc.Arbitrary<number>): fc.Arbitrary<SequenceModelSpec> =>
  fc
    .record({
      stack: anyStack(sizes, 2),
      loss: anyLoss,
      input: fc.oneof(
        fc.record({ kind: fc.constant("values"), size: sizes }),
        fc.record({
          kind: fc.constant("tokens"),
          vocabularySize: fc.integer({ min: 1, max: 5 }),
          embeddingSize: sizes,
        }),
      ),
      numTargets: fc.integer({ min: 2, max: 3 }),
      bidirectional: fc.boolean(),
      output: fc.constantFrom("everyStep", "lastStep"),
      hasClassWeights: fc.boolean(),
    })
    .map(({ stack, output, loss, hasClassWeights, ...rest }): SequenceModelSpec => {
      const isWeighted = hasClassWeights && loss["kind"] === "crossEntropy";
      const classWeights = [1, 0.5, 2].slice(0, rest.numTargets);
      // All but how parameters start: no key may be forgotten here.
      const keys: { readonly [K in Exclude<keyof SequenceModelSpec, NotDrawn>]: unknown } = {
        ...stack,
        ...rest,
        embeddingDropout: rest.input["kind"] === "tokens" ? stack.embeddingDropout : 0,
        loss: isWeighted ? { ...loss, classWeights } : loss,
        output: loss["kind"] === "ctc" ? "everyStep" : output,
      };
      return sequenceSpecOf(keys);
    });

type NotDrawn = "kind" | "initialization";

/** One row, without padding. */
export interface SequenceRow {
  /** [time][value], or [time][token]. */
  readonly inputs: readonly (readonly number[])[];
  /** [output][value] or [output][class]; for CTC the labels. */
  readonly targets: readonly (readonly number[])[];
  /** [output]: of each step, or one for the row. */
  readonly weights: readonly number[];
}

export const isEveryStep = ({ output, loss }: SequenceModelSpec): boolean =>
  output === "everyStep" && loss.kind !== "ctc";

/** A row of so many steps; about a third of the weights are 0. */
export function randomSequence(spec: SequenceModelSpec, length: number, seed: number): SequenceRow {
  const values = randomValues(seed);
  const below = (count: number): number => Math.floor(((values(1)[0]! + 1) / 2) * count);
  const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const { input, numTargets } = spec;
  const { targetKind } = lossOf(spec);
  const target = (): number[] => {
    if (targetKind === "classes") return [below(numTargets)];
    const scale = spec.loss.kind === "binaryCrossEntropy" ? 0.5 : 1;
    return [...values(numTargets, scale)].map((value) => value + 1 - scale);
  };
  const numOutputs = isEveryStep(spec) ? length : 1;
  return {
    inputs: times(length, () =>
      input.kind === "tokens" ? [below(input.vocabularySize)] : [...values(input.size)],
    ),
    targets:
      targetKind === "labelSequences"
        ? [times(below(Math.ceil(length / 2) + 1), () => 1 + below(numTargets - 1))]
        : times(numOutputs, target),
    weights: times(numOutputs, () => [0, 0.5, 1, 2][below(4)]!),
  };
}

export const lossOf = (spec: SequenceModelSpec): ReturnType<typeof createLoss> =>
  createLoss(spec.loss, { numTargets: spec.numTargets });

export interface BatchOptions {
  /** The number of the first leaf; 0 by default. */
  readonly firstLeaf?: number;
  /** Steps beyond those of the longest row. */
  readonly further?: number;
}

/** Leaves of rows as one batch, with what no one may read in the padding. */
export function sequenceBatchOf(
  spec: SequenceModelSpec,
  leaves: readonly (readonly SequenceRow[])[],
  { firstLeaf = 0, further = 0 }: BatchOptions = {},
): SequenceBatch {
  const rows = leaves.flat();
  const numRows = rows.length;
  const numSteps = Math.max(1, ...rows.map(({ inputs }) => inputs.length)) + further;
  const isTokens = spec.input.kind === "tokens";
  const width = spec.input.kind === "tokens" ? 1 : spec.input.size;
  const { targetKind } = lossOf(spec);
  const targetSize = targetKind === "values" ? spec.numTargets : 1;
  const numOutputs = isEveryStep(spec) ? numSteps : 1;
  const inputs = padded(rows, numSteps, width, ({ inputs: own }) => own);
  const weights = padded(rows, numOutputs, 1, (row) => row.weights.map((weight) => [weight]));
  const shared = {
    numSteps,
    numRows,
    inputs: isTokens ? Int32Array.from(inputs, wholes) : Float32Array.from(inputs),
    lengths: Int32Array.from(rows, (row) => row.inputs.length),
    weights: Float32Array.from(weights),
    leaves: leavesOf(leaves, firstLeaf),
  };
  if (targetKind === "labelSequences") {
    const labels = rows.map(({ targets }) => targets[0]!);
    const longest = Math.max(0, ...labels.map(({ length }) => length)) + further;
    const garbage = Array.from({ length: longest }, () => NaN);
    return {
      ...shared,
      targets: Int32Array.from(
        labels.flatMap((own) => [...own, ...garbage.slice(own.length)]),
        wholes,
      ),
      targetLengths: Int32Array.from(labels, ({ length }) => length),
    };
  }
  const targets = padded(rows, numOutputs, targetSize, (row) => row.targets);
  return {
    ...shared,
    targets:
      targetKind === "classes" ? Int32Array.from(targets, wholes) : Float32Array.from(targets),
  };
}

/** What stands in for a number that no array of whole numbers can hold. */
const wholes = (value: number): number => (Number.isNaN(value) ? -77 : value);

/** [T,B,C], time-major, with NaN in the padding. */
function padded(
  rows: readonly SequenceRow[],
  numSteps: number,
  width: number,
  of: (row: SequenceRow) => readonly (readonly number[])[],
): number[] {
  const values = new Array<number>(numSteps * rows.length * width).fill(NaN);
  for (const [b, row] of rows.entries()) {
    for (const [t, step] of of(row).entries()) {
      for (const [c, value] of step.entries()) values[(t * rows.length + b) * width + c] = value;
    }
  }
  return values;
}

function leavesOf(
  leaves: readonly (readonly SequenceRow[])[],
  firstLeaf: number,
): SequenceBatch["leaves"] {
  let firstRow = 0;
  return leaves.map(({ length: numRows }, index) => {
    firstRow += numRows;
    return { leaf: firstLeaf + index, firstRow: firstRow - numRows, numRows };
  });
}

export function randomSequenceParameters(spec: SequenceModelSpec, seed: number): Float32Array {
  return randomValues(seed)(parameterLayout(spec).size, 0.8);
}
