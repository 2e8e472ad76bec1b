/**
 * The bit rule: a row's result does not depend on which other rows are in the batch, on any backend.
 */
import {
  engine,
  reshape,
  slice,
  tensor1d,
  tensor2d,
  tensor3d,
  transpose,
} from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { randomValues } from "../../test/support/random-values.js";
import { selectBackend } from "./backends.js";
import {
  linearSoftmaxCrossEntropyGradient,
  lstmSequenceBackward,
  lstmSequenceForward,
  matMulBias,
  sequenceRows,
} from "./contract/index.js";

const MAX_ROWS = 70;

const rowBlock = fc
  .integer({ min: 1, max: MAX_ROWS })
  .chain((numRows) =>
    fc.record({ numRows: fc.constant(numRows), firstRow: fc.nat(MAX_ROWS - numRows) }),
  );
const oddSizes = fc.constantFrom(1, 2, 3, 5, 7, 8, 12, 17, 31, 67);

// The tensors of each run are freed after it.
fc.installGlobalPlugin(fc.beforeEach(() => engine().startScope()));
fc.installGlobalPlugin(fc.afterEach(() => engine().endScope()));

/** Values in [-2, 2). */
function valuesFrom(seed: number): (count: number) => Float32Array {
  const values = randomValues(seed);
  return (count) => values(count, 2);
}

function expectSameBits(actual: Tensor, expected: Tensor): void {
  const bits = ({ buffer, byteOffset, length }: Float32Array): Uint32Array =>
    new Uint32Array(buffer, byteOffset, length);
  const [a, b] = [bits(actual.dataSync<"float32">()), bits(expected.dataSync<"float32">())];
  expect(actual.shape).toEqual(expected.shape);
  expect(a.findIndex((value, k) => value !== b[k])).toBe(-1);
}

describe.each(["wasm", "cpu"] as const)("a row's bits on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("do not depend on the other rows of a product", () => {
    fc.assert(
      fc.property(rowBlock, oddSizes, oddSizes, fc.integer(), (block, inner, outer, seed) => {
        const values = valuesFrom(seed);
        const rows = tensor2d(values(MAX_ROWS * inner), [MAX_ROWS, inner]);
        const kernel = tensor2d(values(inner * outer), [inner, outer]);
        const bias = tensor1d(values(outer));
        const some = slice(rows, [block.firstRow, 0], [block.numRows, inner]);
        const ofBlock = (product: Tensor): Tensor =>
          slice(product, [block.firstRow, 0], [block.numRows, outer]);
        expectSameBits(matMulBias(some, kernel, bias), ofBlock(matMulBias(rows, kernel, bias)));
        expectSameBits(matMulBias(some, kernel), ofBlock(matMulBias(rows, kernel)));
      }),
      { numRuns: 60 },
    );
  });

  it("do not depend on the other rows of an LSTM, forward and backward", () => {
    fc.assert(
      fc.property(rowBlock, oddSizes, fc.integer(), (block, hiddenSize, seed) => {
        const values = valuesFrom(seed);
        const [T, B, H] = [3, MAX_ROWS, hiddenSize];
        const recurrentKernel = tensor2d(values(H * 4 * H), [H, 4 * H]);
        const [gates, hidden, cell, slopes] = [
          tensor3d(values(T * B * 4 * H), [T, B, 4 * H]),
          tensor2d(values(B * H), [B, H]),
          tensor2d(values(B * H), [B, H]),
          tensor3d(values(T * B * H), [T, B, H]),
        ];
        const run = (firstRow: number, numRows: number): Tensor[] => {
          const sequence = lstmSequenceForward({
            inputGates: slice(gates, [0, firstRow, 0], [T, numRows, 4 * H]),
            recurrentKernel,
            initialHidden: slice(hidden, [firstRow, 0], [numRows, H]),
            initialCell: slice(cell, [firstRow, 0], [numRows, H]),
          });
          const { gateGradients } = lstmSequenceBackward({
            ...sequence,
            hiddenGradient: slice(slopes, [0, firstRow, 0], [T, numRows, H]),
            recurrentKernelTransposed: transpose(recurrentKernel),
          });
          return [sequence.hidden, sequence.cell, gateGradients];
        };
        const alone = run(block.firstRow, block.numRows);
        for (const [index, all] of run(0, B).entries()) {
          const [numSteps, , numColumns] = all.shape as [number, number, number];
          const ofBlock = sequenceRows(reshape(all, [numSteps, B, numColumns]), {
            firstStep: 0,
            numSteps,
            ...block,
          });
          expectSameBits(reshape(alone[index]!, ofBlock.shape), ofBlock);
        }
      }),
      { numRuns: backend === "wasm" ? 40 : 15 },
    );
  });

  it("do not depend on the other positions of a loss", () => {
    fc.assert(
      fc.property(rowBlock, oddSizes, oddSizes, fc.integer(), (block, hiddenSize, V, seed) => {
        const values = valuesFrom(seed);
        const hidden = tensor2d(values(MAX_ROWS * hiddenSize), [MAX_ROWS, hiddenSize]);
        const kernel = tensor2d(values(hiddenSize * V), [hiddenSize, V]);
        const bias = tensor1d(values(V));
        const targets = Int32Array.from({ length: MAX_ROWS }, (_, n) => (n * n) % V);
        const run = (first: number, count: number): Tensor[] => {
          const { losses, hiddenGradient } = linearSoftmaxCrossEntropyGradient({
            hidden: slice(hidden, [first, 0], [count, hiddenSize]),
            kernel,
            kernelTransposed: transpose(kernel),
            bias,
            targets: tensor1d(targets.slice(first, first + count), "int32"),
            weights: tensor1d(new Float32Array(count).fill(1)),
          });
          return [losses, hiddenGradient];
        };
        const [losses, hiddenGradient] = run(0, MAX_ROWS) as [Tensor, Tensor];
        const alone = run(block.firstRow, block.numRows) as [Tensor, Tensor];
        const { firstRow, numRows } = block;
        expectSameBits(alone[0], slice(losses, [firstRow], [numRows]));
        expectSameBits(alone[1], slice(hiddenGradient, [firstRow, 0], [numRows, hiddenSize]));
      }),
      { numRuns: 40 },
    );
  });
});
