import { engine, tensor1d, tensor2d, tensor3d, transpose } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { expectClose } from "../../test/support/expect-close.js";
import { randomValues } from "../../test/support/random-values.js";
import { selectBackend } from "./backends.js";
import {
  embeddingGather,
  embeddingGradient,
  linearGradient,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  lstmSequenceBackward,
  lstmSequenceForward,
  matMulBias,
  sequenceRows,
} from "./contract/index.js";

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));

interface LstmCase {
  readonly numSteps: number;
  readonly numRows: number;
  readonly hiddenSize: number;
  /** [T,B,4H] */
  readonly inputGates: Float64Array;
  readonly recurrentKernel: Float32Array;
  readonly initialHidden: Float32Array;
  readonly initialCell: Float32Array;
}

/** The LSTM of the kernel contract in float64, one scalar at a time. h_1 … h_T: [T,B,H]. */
function float64Lstm(c: LstmCase): Float64Array {
  const H = c.hiddenSize;
  const outputs = new Float64Array(c.numSteps * c.numRows * H);
  for (let row = 0; row < c.numRows; row++) {
    let h = Array.from({ length: H }, (_, j) => c.initialHidden[row * H + j]!);
    let cell = Array.from({ length: H }, (_, j) => c.initialCell[row * H + j]!);
    for (let t = 0; t < c.numSteps; t++) {
      const z = (column: number): number =>
        h.reduce(
          (sum, value, k) => sum + value * c.recurrentKernel[k * 4 * H + column]!,
          c.inputGates[(t * c.numRows + row) * 4 * H + column]!,
        );
      const before = cell;
      cell = before.map(
        (value, j) => sigma(z(H + j)) * value + sigma(z(j)) * Math.tanh(z(2 * H + j)),
      );
      h = cell.map((value, j) => sigma(z(3 * H + j)) * Math.tanh(value));
      outputs.set(h, (t * c.numRows + row) * H);
    }
  }
  return outputs;
}

/** Central differences of a scalar function of `at`. */
function differences(f: (at: Float64Array) => number, at: Float64Array): number[] {
  const step = 1e-5;
  return Array.from(at, (value, k) => {
    const [above, below] = [at.slice(), at.slice()];
    above[k] = value + step;
    below[k] = value - step;
    return (f(above) - f(below)) / (2 * step);
  });
}

beforeEach(() => engine().startScope());
afterEach(() => engine().endScope());

describe.each(["wasm", "cpu"] as const)("kernels on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("compute an LSTM over all time steps, and its gradient, as float64 arithmetic does", () => {
    const sizes = fc.record({
      numSteps: fc.integer({ min: 1, max: 4 }),
      numRows: fc.integer({ min: 1, max: 3 }),
      hiddenSize: fc.integer({ min: 1, max: 5 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(sizes, ({ numSteps, numRows, hiddenSize, seed }) => {
        const values = randomValues(seed);
        const [T, B, H] = [numSteps, numRows, hiddenSize];
        const given = {
          inputGates: values(T * B * 4 * H, 3),
          recurrentKernel: values(H * 4 * H),
          initialHidden: values(B * H),
          initialCell: values(B * H, 2),
        };
        const recurrentKernel = tensor2d(given.recurrentKernel, [H, 4 * H]);
        const sequence = lstmSequenceForward({
          inputGates: tensor3d(given.inputGates, [T, B, 4 * H]),
          recurrentKernel,
          initialHidden: tensor2d(given.initialHidden, [B, H]),
          initialCell: tensor2d(given.initialCell, [B, H]),
        });
        const oracle = { ...given, numSteps, numRows, hiddenSize };
        const outputs = float64Lstm({ ...oracle, inputGates: Float64Array.from(given.inputGates) });
        expectClose(sequence.hidden.dataSync().subarray(B * H), outputs, 1e-6);
        expect(sequence.hidden.dataSync().subarray(0, B * H)).toEqual(given.initialHidden);
        expect(sequence.cell.dataSync().subarray(0, B * H)).toEqual(given.initialCell);

        // A loss whose gradient with respect to the outputs is `slopes`: their weighted sum.
        const slopes = values(T * B * H);
        const loss = (inputGates: Float64Array): number =>
          float64Lstm({ ...oracle, inputGates }).reduce((sum, h, k) => sum + h * slopes[k]!, 0);
        const { gateGradients } = lstmSequenceBackward({
          ...sequence,
          hiddenGradient: tensor3d(slopes, [T, B, H]),
          recurrentKernelTransposed: transpose(recurrentKernel),
        });
        // z is the input's share plus a term that does not depend on it: the gradients are equal.
        const expected = differences(loss, Float64Array.from(given.inputGates));
        expectClose(gateGradients.dataSync(), expected, 2e-6);
      }),
      { numRuns: 25 },
    );
  });

  it("compute softmax cross-entropy and its gradients as float64 arithmetic does", () => {
    const [N, H, V] = [5, 3, 4];
    const values = randomValues(7);
    const weights = [1, 0, 1, 0.5, 1];
    const targets = [0, 3, 2, 1, 3];
    const losses = (p: Float64Array): number[] =>
      targets.map((target, n) => {
        const logits = Array.from({ length: V }, (_, v) => {
          let logit = p[N * H + H * V + v]!;
          for (let j = 0; j < H; j++) logit += p[n * H + j]! * p[N * H + j * V + v]!;
          return logit;
        });
        const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
        return weights[n]! * (Math.log(sum) - logits[target]!);
      });
    // hidden, kernel and bias after each other.
    const all = values(N * H + H * V + V, 2);
    const kernel = tensor2d(all.slice(N * H, N * H + H * V), [H, V]);
    const inputs = {
      hidden: tensor2d(all.slice(0, N * H), [N, H]),
      kernel,
      bias: tensor1d(all.slice(N * H + H * V)),
      targets: tensor1d(targets, "int32"),
      weights: tensor1d(weights),
    };
    const at = Float64Array.from(all);
    const expectedLosses = losses(at);
    expectClose(linearSoftmaxCrossEntropy(inputs).dataSync(), expectedLosses, 1e-6);
    const gradients = linearSoftmaxCrossEntropyGradient({
      ...inputs,
      kernelTransposed: transpose(kernel),
    });
    expectClose(gradients.losses.dataSync(), expectedLosses, 1e-6);
    const expected = differences((p) => losses(p).reduce((sum, loss) => sum + loss, 0), at);
    const actual = [gradients.hiddenGradient, gradients.kernelGradient, gradients.biasGradient];
    expectClose(
      actual.flatMap((tensor) => Array.from(tensor.dataSync())),
      expected,
      2e-6,
    );
    // A masked position passes nothing back, to the bit.
    expect(gradients.losses.dataSync()[1]).toBe(0);
    const ofMasked = Array.from(gradients.hiddenGradient.dataSync().subarray(H, 2 * H));
    expect(ofMasked.map(Math.abs)).toEqual([0, 0, 0]);
  });

  it("keep the loss finite and exact where the probability underflows float32", () => {
    // Logits 0 and −200: the loss of the second is 200 + ln(1 + e^−200) = 200.
    const inputs = {
      hidden: tensor2d([[1]]),
      kernel: tensor2d([[0, -200]]),
      bias: tensor1d([0, 0]),
      targets: tensor1d([1], "int32"),
      weights: tensor1d([1]),
    };
    expect(linearSoftmaxCrossEntropy(inputs).dataSync()[0]).toBe(200);
  });

  it("let a NaN through, so that the loss shows it", () => {
    const sequence = lstmSequenceForward({
      inputGates: tensor3d([0, 0, NaN, 0], [1, 1, 4]),
      recurrentKernel: tensor2d([[0, 0, 0, 0]]),
      initialHidden: tensor2d([[0]]),
      initialCell: tensor2d([[0]]),
    });
    const losses = linearSoftmaxCrossEntropy({
      hidden: sequenceRows(sequence.hidden, { firstStep: 1, numSteps: 1, firstRow: 0, numRows: 1 }),
      kernel: tensor2d([[1, 2]]),
      bias: tensor1d([0, 0]),
      targets: tensor1d([1], "int32"),
      weights: tensor1d([1]),
    });
    expect(losses.dataSync()[0]).toBeNaN();
  });

  it("look embeddings up and add their gradients by id", () => {
    const table = tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const ids = tensor1d([2, 0, 2], "int32");
    expect(embeddingGather(table, ids).arraySync()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    const gradient = tensor2d([
      [1, 10],
      [2, 20],
      [4, 40],
    ]);
    // Id 0 at position 1; id 1 nowhere; id 2 at positions 0 and 2.
    expect(embeddingGradient(ids, gradient, 3).arraySync()).toEqual([
      [2, 20],
      [0, 0],
      [5, 50],
    ]);
  });

  it("multiply with a bias, and sum weight gradients over the rows", () => {
    const rows = tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const kernel = tensor2d([
      [1, 0, 2],
      [0, 1, 3],
    ]);
    // Row 0: [1, 2, 1·2 + 2·3] + [10, 20, 30].
    expect(matMulBias(rows, kernel, tensor1d([10, 20, 30])).arraySync()).toEqual([
      [11, 22, 38],
      [13, 24, 48],
      [15, 26, 58],
    ]);
    expect(matMulBias(rows, kernel).arraySync()).toEqual([
      [1, 2, 8],
      [3, 4, 18],
      [5, 6, 28],
    ]);
    const { kernelGradient, biasGradient } = linearGradient(
      rows,
      tensor2d([
        [1, 0],
        [0, 1],
        [1, 1],
      ]),
    );
    // Column 0 sums rows 0 and 2, column 1 rows 1 and 2.
    expect(kernelGradient.arraySync()).toEqual([
      [6, 8],
      [8, 10],
    ]);
    expect(biasGradient.arraySync()).toEqual([2, 2]);
  });

  it("take a block of steps and rows out of a sequence in the order (time, row)", () => {
    // Value 100·step + 10·row + column.
    const sequence = tensor3d(
      [0, 1, 2].map((t) => [0, 1, 2].map((b) => [0, 1].map((c) => 100 * t + 10 * b + c))),
    );
    const block = { firstStep: 1, numSteps: 2, firstRow: 1, numRows: 2 };
    expect(sequenceRows(sequence, block).arraySync()).toEqual([
      [110, 111],
      [120, 121],
      [210, 211],
      [220, 221],
    ]);
  });
});
