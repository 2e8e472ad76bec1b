/** Small models and batches for the tests of `./model`. */
import { BACKEND_NAMES, selectBackend } from "@ostinato/kernels/tensor";
import type { BackendName } from "@ostinato/kernels/tensor";
import { it } from "vitest";

import { compileModelSpec, parameterLayout, stateShape } from "../src/index.js";
import type { LanguageModelSpec, Moments, ParameterLayout } from "../src/index.js";
import type { LeafOutcome, TokenBatch } from "../src/model/index.js";

/** Why there is no native backend here; undefined where there is. */
const missing = await selectBackend("native").then(
  () => undefined,
  (error: unknown) => (error as Error).message,
);

if (missing !== undefined) {
  it("is tested on the native backend too", ({ skip }) => skip(missing));
}

/** Those that can be tested here, of every precision. */
export const allBackends: readonly BackendName[] = BACKEND_NAMES.filter(
  (name) => !name.startsWith("native") || missing === undefined,
);

/** Whose products are float32. */
export const backends: readonly BackendName[] = allBackends.filter(
  (name) => name !== "native-bfloat16",
);

export function specOf(changes: Partial<LanguageModelSpec> = {}): LanguageModelSpec {
  return compileModelSpec({
    kind: "languageModel",
    vocabularySize: 7,
    embeddingSize: 3,
    hiddenSize: 5,
    numLayers: 2,
    dropout: 0.4,
    ...changes,
  });
}

/** Reproducible values in [-1, 1), exact in float32. */
export function randomValues(seed: number): (count: number, scale?: number) => Float32Array {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
  return (count, scale = 1) => Float32Array.from({ length: count }, () => scale * next());
}

export function randomParameters(spec: LanguageModelSpec, seed: number): Float32Array {
  return randomValues(seed)(parameterLayout(spec).size, 0.8);
}

export interface Segment {
  readonly batch: TokenBatch;
  /** Of each leaf. */
  readonly states: readonly Float32Array[];
}

/**
 * A segment of leaves with these numbers of rows, numbered from `firstLeaf`, whose last step is
 * masked for about half of the rows. A leaf's content does not depend on the other leaves.
 */
export function randomSegment(
  spec: LanguageModelSpec,
  numSteps: number,
  rowsOfLeaves: readonly number[],
  seed: number,
  firstLeaf = 0,
): Segment {
  const alone = rowsOfLeaves.map((numRows, index) =>
    leafSegment(spec, numSteps, numRows, seed, firstLeaf + index),
  );
  return joinSegments(alone);
}

function leafSegment(
  spec: LanguageModelSpec,
  numSteps: number,
  numRows: number,
  seed: number,
  leaf: number,
): Segment {
  const values = randomValues(seed + 7919 * leaf);
  const tokens = (): Int32Array =>
    Int32Array.from(values(numSteps * numRows), (value) =>
      Math.floor(((value + 1) / 2) * spec.vocabularySize),
    );
  const weights = Float32Array.from({ length: numSteps * numRows }, (_, position) =>
    position >= (numSteps - 1) * numRows && position % 2 === 1 ? 0 : 1,
  );
  const state = values(stateShape(spec).valuesPerRow * numRows);
  const leaves = [{ leaf, firstRow: 0, numRows }];
  return {
    batch: { numSteps, numRows, inputs: tokens(), targets: tokens(), weights, leaves },
    states: [state],
  };
}

/** Segments of as many steps as one batch, the leaves after each other. */
export function joinSegments(segments: readonly Segment[]): Segment {
  const numSteps = segments[0]!.batch.numSteps;
  const numRows = segments.reduce((sum, { batch }) => sum + batch.numRows, 0);
  const [inputs, targets, weights] = [
    new Int32Array(numSteps * numRows),
    new Int32Array(numSteps * numRows),
    new Float32Array(numSteps * numRows),
  ];
  const leaves: TokenBatch["leaves"][number][] = [];
  let firstRow = 0;
  for (const { batch } of segments) {
    for (let t = 0; t < numSteps; t++) {
      const [from, to] = [t * batch.numRows, t * numRows + firstRow];
      inputs.set(batch.inputs.subarray(from, from + batch.numRows), to);
      targets.set(batch.targets.subarray(from, from + batch.numRows), to);
      weights.set(batch.weights.subarray(from, from + batch.numRows), to);
    }
    for (const leaf of batch.leaves) {
      leaves.push({ ...leaf, firstRow: firstRow + leaf.firstRow });
    }
    firstRow += batch.numRows;
  }
  const states = segments.flatMap((segment) => segment.states);
  return { batch: { numSteps, numRows, inputs, targets, weights, leaves }, states };
}

/** The values of named tensors as one flat buffer. */
export function flatten(
  layout: ParameterLayout,
  tensors: Readonly<Record<string, ArrayLike<number>>>,
): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, offset } of layout.tensors) flat.set(tensors[name]!, offset);
  return flat;
}

/** The values' bits in a string, so that even the sign of a zero counts; quick to compare. */
export function bitsOf(values: Float32Array | Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}

export function outcomeBits(outcome: LeafOutcome): unknown {
  const { state, moments } = outcome;
  return { ...outcome, state: bitsOf(state), moments: moments.map(momentBits) };
}

export function momentBits({ count, mean, m2 }: Moments): unknown {
  return { count, mean: bitsOf(mean), m2: bitsOf(m2) };
}

/**
 * Largest |actual − expected| relative to the largest |expected|.
 *
 * @param floor what the largest is taken to be at least: values that cancel each other out to nothing are
 *   as exact as their terms, not as their sum.
 */
export function relativeError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  floor = 0,
): number {
  if (actual.length !== expected.length) return Infinity;
  let [error, scale] = [0, floor];
  for (let k = 0; k < expected.length; k++) {
    const difference = Math.abs(actual[k]! - expected[k]!);
    if (Number.isNaN(difference)) return NaN;
    error = Math.max(error, difference);
    scale = Math.max(scale, Math.abs(expected[k]!));
  }
  return scale === 0 ? error : error / scale;
}
