import { engine, tensor1d, tensor2d, tensor3d, transpose } from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { backends } from "../../test/support/backends.js";
import { differences } from "../../test/support/differences.js";
import { expectClose } from "../../test/support/expect-close.js";
import { randomValues } from "../../test/support/random-values.js";
import { selectBackend } from "./backends.js";
import {
  embeddingGather,
  embeddingGradient,
  linearGradient,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  lstmSequenceForward,
  matMulBias,
  sequenceRows,
} from "./contract/index.js";

beforeEach(() => engine().startScope());
afterEach(() => engine().endScope());

describe.each(backends)("kernels on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

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
