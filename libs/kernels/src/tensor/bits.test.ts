/**
 * The bit rule: a row's result does not depend on which other rows are in the batch, on any backend.
 */
import { engine, expandDims, slice, tensor1d, tensor2d, transpose } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { allBackends } from "../../test/support/backends.js";
import { runCell, tensorsOf } from "../../test/support/kernel-cells.js";
import type { CellTensors } from "../../test/support/kernel-cells.js";
import { cellVariants, randomCellCase } from "../../test/support/random-cell-case.js";
import { randomValues } from "../../test/support/random-values.js";
import { selectBackend } from "./backends.js";
import {
  layerNorm,
  layerNormGradient,
  linearSoftmaxCrossEntropyGradient,
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

/** The tensors of a recurrent layer, those that have rows of the batch cut to the block's. */
function rowsOfTensors(
  tensors: CellTensors,
  { firstRow, numRows }: { readonly firstRow: number; readonly numRows: number },
): CellTensors {
  return Object.fromEntries(
    Object.entries(tensors as unknown as Record<string, Tensor>).map(([name, tensor]) => {
      if (tensor.rank === 3) {
        const [numSteps, , numColumns] = tensor.shape as [number, number, number];
        return [name, slice(tensor, [0, firstRow, 0], [numSteps, numRows, numColumns])];
      }
      const isState = name.startsWith("initial");
      return [name, isState ? slice(tensor, [firstRow, 0], [numRows, tensor.shape[1]!]) : tensor];
    }),
  ) as unknown as CellTensors;
}

function expectSameBits(actual: Tensor, expected: Tensor): void {
  const bits = ({ buffer, byteOffset, length }: Float32Array): Uint32Array =>
    new Uint32Array(buffer, byteOffset, length);
  const [a, b] = [bits(actual.dataSync<"float32">()), bits(expected.dataSync<"float32">())];
  expect(actual.shape).toEqual(expected.shape);
  expect(a.findIndex((value, k) => value !== b[k])).toBe(-1);
}

describe.each(allBackends)("a row's bits on %s", (backend) => {
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

  it("do not depend on the other rows of a recurrent layer, forward and backward", () => {
    fc.assert(
      fc.property(
        rowBlock,
        cellVariants,
        oddSizes,
        oddSizes,
        fc.integer(),
        (block, { spec, options }, hiddenSize, stateSize, seed) => {
          const sizes = { numSteps: 3, numRows: MAX_ROWS, hiddenSize, stateSize };
          const all = tensorsOf(randomCellCase(spec, options, sizes, seed));
          const some = rowsOfTensors(all, block);
          const [whole, alone] = [runCell(spec, all), runCell(spec, some)];
          const pairs = [
            [whole.hidden, alone.hidden],
            ...(whole.cell && alone.cell ? [[whole.cell, alone.cell] as const] : []),
            ...whole.perPosition.map((tensor, k) => [tensor, alone.perPosition[k]!] as const),
            ...(["initialHidden", "initialCell"] as const).flatMap((name) => {
              const [ofAll, ofSome] = [whole.gradients[name], alone.gradients[name]];
              const asStep = (states: Tensor): Tensor3D => expandDims<Tensor3D>(states);
              return ofAll && ofSome ? [[asStep(ofAll), asStep(ofSome)] as const] : [];
            }),
          ] as const;
          for (const [ofAll, ofSome] of pairs) {
            const [numSteps] = ofAll.shape;
            const inSteps = { firstStep: 0, numSteps };
            expectSameBits(
              sequenceRows(ofSome, { ...inSteps, firstRow: 0, numRows: block.numRows }),
              sequenceRows(ofAll, { ...inSteps, ...block }),
            );
          }
        },
      ),
      { numRuns: backend === "wasm" ? 80 : 30 },
    );
  });

  it("do not depend on the other rows of a layer normalization", () => {
    fc.assert(
      fc.property(rowBlock, oddSizes, fc.integer(), ({ firstRow, numRows }, C, seed) => {
        const values = valuesFrom(seed);
        const [gain, bias] = [tensor1d(values(C)), tensor1d(values(C))];
        const rows = tensor2d(values(MAX_ROWS * C), [MAX_ROWS, C]);
        const gradient = tensor2d(values(MAX_ROWS * C), [MAX_ROWS, C]);
        const run = (first: number, count: number): [Tensor2D, Tensor2D] => {
          const forward = layerNorm({
            rows: slice(rows, [first, 0], [count, C]),
            gain,
            bias,
            epsilon: 1e-5,
          });
          const backward = { ...forward, gradient: slice(gradient, [first, 0], [count, C]), gain };
          return [forward.outputs, layerNormGradient(backward)];
        };
        const whole = run(0, MAX_ROWS);
        for (const [k, alone] of run(firstRow, numRows).entries()) {
          expectSameBits(alone, slice(whole[k]!, [firstRow, 0], [numRows, C]));
        }
      }),
      { numRuns: 40 },
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
