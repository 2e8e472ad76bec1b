/** Weight gradients of leaves, added up along the tree: against float64 sums in that order, and by bits. */
import {
  concat,
  engine,
  tensor1d,
  tensor2d,
  tensor3d,
  transpose,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Rank, Tensor, Tensor1D, Tensor3D } from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { allBackends } from "../../test/support/backends.js";
import { expectClose } from "../../test/support/expect-close.js";
import { randomValues } from "../../test/support/random-values.js";
import { sumLeavesInTreeOrder } from "../flat/index.js";
import { selectBackend } from "./backends.js";
import {
  embeddingGradient,
  embeddingGradients,
  linearGradient,
  linearGradients,
  linearSoftmaxCrossEntropyGradient,
  linearSoftmaxCrossEntropyGradients,
  sequenceRows,
} from "./contract/index.js";
import type {
  LeafRows,
  LeafSumsCall,
  LinearSoftmaxLossInputs,
  SoftmaxLossAttributes,
} from "./contract/index.js";
import { KernelError } from "./kernel-error.js";

beforeEach(() => engine().startScope());
afterEach(() => engine().endScope());

const [T, B, I, O, V] = [3, 9, 5, 21, 6];
const leaves: readonly LeafRows[] = [
  { firstRow: 0, numRows: 2 },
  { firstRow: 2, numRows: 1 },
  { firstRow: 3, numRows: 0 },
  { firstRow: 3, numRows: 3 },
  { firstRow: 6, numRows: 2 },
  { firstRow: 8, numRows: 1 },
];
const nodes = [
  { first: 0, count: 4 },
  { first: 4, count: 1 },
  { first: 5, count: 1 },
];
const single = leaves.map((_, first) => ({ first, count: 1 }));

const values = randomValues(11);
const rows = values((T + 1) * B * I, 2);
const gradient = values(T * B * O, 2);
/** The last id is nowhere. */
const ids = Int32Array.from(values(T * B, 1), (value) =>
  Math.min(V - 2, Math.floor(((value + 1) / 2) * (V - 1))),
);
const kernel = values(I * V, 2);
const bias = values(V, 2);
const weights = Float32Array.from({ length: T * B }, (_, position) => (position % 4) / 2);
const labelSmoothing = 0.25;

const linearInputs = (): { rows: Tensor3D; gradient: Tensor3D } => ({
  rows: tensor3d(rows, [T + 1, B, I]),
  gradient: tensor3d(gradient, [T, B, O]),
});
const embeddingInputs = (): { ids: Tensor1D; gradient: Tensor3D; vocabularySize: number } => ({
  ids: tensor1d(ids, "int32"),
  gradient: tensor3d(gradient, [T, B, O]),
  vocabularySize: V,
});
const lossInputs = (): LinearSoftmaxLossInputs &
  Pick<SoftmaxLossAttributes, "kernelTransposed" | "labelSmoothing"> => {
  const kernelTensor = tensor2d(kernel, [I, V]);
  return {
    hidden: tensor3d(rows.slice(0, T * B * I), [T, B, I]),
    kernel: kernelTensor,
    kernelTransposed: () => transpose(kernelTensor),
    bias: tensor1d(bias),
    targets: tensor1d(ids, "int32"),
    weights: tensor1d(weights),
    labelSmoothing,
  };
};

/** The weight gradients of each operation, of a tree. */
const OPERATIONS: Readonly<Record<string, (tree: LeafSumsCall) => Tensor[]>> = {
  linearGradients: (tree) => Object.values(linearGradients({ ...linearInputs(), ...tree })),
  embeddingGradients: (tree) => [embeddingGradients({ ...embeddingInputs(), ...tree })],
  linearSoftmaxCrossEntropyGradients: (tree) => {
    const found = linearSoftmaxCrossEntropyGradients({ ...lossInputs(), ...tree });
    return [found.kernelGradients, found.biasGradients];
  },
};

/** Of each node in float64: the leaf's terms in the order (time, row), then (l0 + l1) + (l2 + l3). */
function nodeSums(size: number, term: (position: number, k: number) => number): number[] {
  const [l0, l1, l2, l3, l4, l5] = leaves.map(({ firstRow, numRows }) =>
    Array.from({ length: size }, (_, k) => {
      let sum = 0;
      for (let t = 0; t < T; t++) {
        for (let row = firstRow; row < firstRow + numRows; row++) sum += term(t * B + row, k);
      }
      return sum;
    }),
  ) as [number[], number[], number[], number[], number[], number[]];
  return [...l0.map((value, k) => value + l1[k]! + (l2[k]! + l3[k]!)), ...l4, ...l5];
}

/** −Σ y·log p of smoothed targets y, and the gradient of the logits, weight·(p − y). */
function softmaxOf(position: number): { loss: number; logitGradient: number[] } {
  const logits = Array.from({ length: V }, (_, v) => {
    let logit = bias[v]!;
    for (let k = 0; k < I; k++) logit += rows[position * I + k]! * kernel[k * V + v]!;
    return logit;
  });
  const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const weight = weights[position]!;
  const targets = logits.map(
    (_, v) => labelSmoothing / V + (v === ids[position] ? 1 - labelSmoothing : 0),
  );
  return {
    loss: weight * targets.reduce((sum, y, v) => sum - y * (logits[v]! - logSum), 0),
    logitGradient: logits.map((logit, v) => weight * (Math.exp(logit - logSum) - targets[v]!)),
  };
}

const bitsOf = (array: Float32Array): Uint32Array => new Uint32Array(array.slice().buffer);
const numbersOf = (tensor: Tensor): Float32Array => tensor.dataSync<"float32">();

describe.each(allBackends)("sums of leaves on %s", (backend) => {
  const tolerance = backend === "native-bfloat16" ? 0.05 : 1e-5;
  beforeAll(() => selectBackend(backend));

  it("of a linear layer are those of float64 arithmetic", () => {
    const found = linearGradients({ ...linearInputs(), leaves, nodes });
    expect(found.kernelGradients.shape).toEqual([nodes.length, I, O]);
    expect(found.biasGradients.shape).toEqual([nodes.length, O]);
    const ofKernel = nodeSums(
      I * O,
      (at, k) => rows[at * I + Math.floor(k / O)]! * gradient[at * O + (k % O)]!,
    );
    expectClose(numbersOf(found.kernelGradients), ofKernel, tolerance);
    const ofBias = nodeSums(O, (at, k) => gradient[at * O + k]!);
    expectClose(numbersOf(found.biasGradients), ofBias, tolerance);
  });

  it("of a linear layer with further inputs are those of both, one below the other", () => {
    const shared = { leaves, nodes, gradient: tensor3d(gradient, [T, B, O]) };
    // The bits do not depend on how many inputs there are, or on which of the two a tile has.
    for (const J of [1, 7, 30]) {
      const further = tensor3d(randomValues(J)((T + 2) * B * J), [T + 2, B, J]);
      const inputs = linearInputs().rows;
      const both = linearGradients({ ...shared, rows: inputs, furtherRows: further });
      expect(both.kernelGradients.shape).toEqual([nodes.length, I + J, O]);
      const [above, below] = [inputs, further].map((rows) => linearGradients({ ...shared, rows }));
      const parts = [above!, below!].map(({ kernelGradients }) => kernelGradients);
      expect(bitsOf(numbersOf(both.kernelGradients))).toEqual(bitsOf(numbersOf(concat(parts, 1))));
      expect(bitsOf(numbersOf(both.biasGradients))).toEqual(
        bitsOf(numbersOf(above!.biasGradients)),
      );
    }
  });

  it.each([
    [[T - 1, B, 2], `furtherRows has shape [${T - 1}, ${B}, 2], expected [${T}, ${B}, 2]`],
    [[T, B + 1, 2], `furtherRows has shape [${T}, ${B + 1}, 2], expected [${T}, ${B}, 2]`],
  ])("of a linear layer refuse further inputs of shape %j", (shape, text) => {
    const further = zeros<Rank.R3>(shape as [number, number, number]);
    const run = (): unknown =>
      linearGradients({ ...linearInputs(), furtherRows: further, leaves, nodes });
    expect(run).toThrow(KernelError);
    expect(run).toThrow(text);
  });

  it("of an embedding are those of float64 arithmetic", () => {
    const tables = embeddingGradients({ ...embeddingInputs(), leaves, nodes });
    expect(tables.shape).toEqual([nodes.length, V, O]);
    const expected = nodeSums(V * O, (at, k) =>
      ids[at] === Math.floor(k / O) ? gradient[at * O + (k % O)]! : 0,
    );
    expectClose(numbersOf(tables), expected, 1e-5);
  });

  it("of a loss are those of float64 arithmetic", () => {
    const found = linearSoftmaxCrossEntropyGradients({ ...lossInputs(), leaves, nodes });
    const softmax = Array.from({ length: T * B }, (_, position) => softmaxOf(position));
    const losses = softmax.map(({ loss }) => loss);
    expectClose(numbersOf(found.losses), losses, tolerance);
    expect(found.hiddenGradient.shape).toEqual([T, B, I]);
    const ofHidden = softmax.flatMap(({ logitGradient }) =>
      Array.from({ length: I }, (_, k) =>
        logitGradient.reduce((sum, d, v) => sum + d * kernel[k * V + v]!, 0),
      ),
    );
    expectClose(numbersOf(found.hiddenGradient), ofHidden, tolerance);
    expect(found.kernelGradients.shape).toEqual([nodes.length, I, V]);
    const ofKernel = nodeSums(
      I * V,
      (at, k) => rows[at * I + Math.floor(k / V)]! * softmax[at]!.logitGradient[k % V]!,
    );
    expectClose(numbersOf(found.kernelGradients), ofKernel, tolerance);
    expect(found.biasGradients.shape).toEqual([nodes.length, V]);
    const ofBias = nodeSums(V, (at, k) => softmax[at]!.logitGradient[k]!);
    expectClose(numbersOf(found.biasGradients), ofBias, tolerance);
  });

  it.each(Object.entries(OPERATIONS))(
    "of %s are the tree sums of single leaves, bit for bit",
    (_, run) => {
      const alone = run({ leaves, nodes: single }).map(numbersOf);
      for (const [k, sums] of run({ leaves, nodes }).entries()) {
        const size = alone[k]!.length / leaves.length;
        for (const [n, { first, count }] of nodes.entries()) {
          const ofLeaves = Array.from({ length: count }, (__, leaf) =>
            alone[k]!.slice((first + leaf) * size, (first + leaf + 1) * size),
          );
          const found = numbersOf(sums).slice(n * size, (n + 1) * size);
          expect(bitsOf(found)).toEqual(bitsOf(sumLeavesInTreeOrder(ofLeaves)));
        }
      }
    },
  );

  it("of one leaf are what the operations give of its rows alone, bit for bit", () => {
    const one = { leaves, nodes: [{ first: 3, count: 1 }] };
    const { firstRow, numRows } = leaves[3]!;
    const block = { firstStep: 0, numSteps: T, firstRow, numRows };
    const own = (all: Int32Array | Float32Array): number[] =>
      [...all].filter((_, n) => n % B >= firstRow && n % B < firstRow + numRows);
    const [linear, loss] = [linearInputs(), lossInputs()];
    const ownGradient = sequenceRows(linear.gradient, block);
    const ownIds = tensor1d(own(ids), "int32");
    const ofLinear = linearGradient(sequenceRows(linear.rows, block), ownGradient);
    const ofLoss = linearSoftmaxCrossEntropyGradient({
      ...loss,
      hidden: sequenceRows(loss.hidden, block),
      targets: ownIds,
      weights: tensor1d(own(weights)),
      kernelTransposed: loss.kernelTransposed(),
    });
    const all = [...Object.values(OPERATIONS)].flatMap((run) => run(one));
    const alone = [
      ofLinear.kernelGradient,
      ofLinear.biasGradient,
      embeddingGradient(ownIds, ownGradient, V),
      ofLoss.kernelGradient,
      ofLoss.biasGradient,
    ];
    expect(all.map(numbersOf).map(bitsOf)).toEqual(alone.map(numbersOf).map(bitsOf));
    const ofAll = linearSoftmaxCrossEntropyGradients({ ...loss, leaves, nodes });
    const ofRows = sequenceRows(ofAll.hiddenGradient, block);
    expect(bitsOf(numbersOf(ofRows))).toEqual(bitsOf(numbersOf(ofLoss.hiddenGradient)));
  });

  it.each([
    { firstRow: 7, numRows: 3 },
    { firstRow: -1, numRows: 1 },
    { firstRow: 0.5, numRows: 1 },
    { firstRow: 0, numRows: -1 },
  ])("refuse a leaf of $numRows rows from $firstRow", (leaf) => {
    const tree = { leaves: [leaf], nodes: [{ first: 0, count: 1 }] };
    const text = `leaf of ${leaf.numRows} rows from ${leaf.firstRow} leaves the batch's 9 rows`;
    for (const run of Object.values(OPERATIONS)) {
      expect(() => run(tree)).toThrow(KernelError);
      expect(() => run(tree)).toThrow(text);
    }
  });

  it.each([
    { first: 0, count: 3 },
    { first: 0, count: 0 },
    { first: 4, count: 4 },
    { first: -1, count: 1 },
  ])("refuse $count leaves from $first as a node", (node) => {
    const text = `${node.count} leaves from ${node.first} are no node of 6 leaves`;
    for (const run of Object.values(OPERATIONS)) {
      expect(() => run({ leaves, nodes: [node] })).toThrow(KernelError);
      expect(() => run({ leaves, nodes: [node] })).toThrow(text);
    }
  });
});
