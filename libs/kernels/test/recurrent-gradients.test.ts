/** Recurrent kernels against float64 arithmetic: outputs, and gradients by central differences. */
import { memory, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { layerNorm, layerNormGradient, selectBackend } from "../src/tensor/index.js";
import { backends } from "./support/backends.js";
import { PARAMETER_NAMES } from "./support/cell-case.js";
import type { CellCase } from "./support/cell-case.js";
import { differences } from "./support/differences.js";
import { expectClose } from "./support/expect-close.js";
import { float64Cell, normalized } from "./support/float64-cells.js";
import { cellNumbers, runCell, tensorsOf } from "./support/kernel-cells.js";
import { cellVariants, randomCellCase } from "./support/random-cell-case.js";
import { randomValues } from "./support/random-values.js";

const sizes = fc.record({
  numSteps: fc.integer({ min: 1, max: 4 }),
  numRows: fc.integer({ min: 1, max: 3 }),
  hiddenSize: fc.integer({ min: 1, max: 5 }),
  stateSize: fc.integer({ min: 1, max: 4 }),
});

/** Σ hidden∘hiddenGradient + Σ cell∘cellGradient: the gradients are those of each h_t and c_t. */
function lossOf({ values }: CellCase, { hidden, cell }: ReturnType<typeof float64Cell>): number {
  const { hiddenGradient, cellGradient } = values;
  return (
    hidden.reduce((sum, h, k) => sum + h * hiddenGradient![k]!, 0) +
    cell.reduce((sum, c, k) => sum + c * (cellGradient?.[k] ?? 0), 0)
  );
}

describe.each(backends)("recurrent kernels on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("compute every cell with any options, and every gradient, as float64 arithmetic does", () => {
    fc.assert(
      fc.property(cellVariants, sizes, fc.integer(), ({ spec, options }, given, seed) => {
        const cellCase = randomCellCase(spec, options, given, seed);
        const expected = float64Cell(cellCase);
        fc.pre(expected.kinkDistance > 1e-3);
        const before = memory();
        const { hidden, cell, gradients } = cellNumbers(cellCase);
        expect(memory()).toEqual(before);
        expectClose(hidden, expected.hidden, 2e-6);
        if (cell) expectClose(cell, expected.cell, 2e-6);
        for (const name of PARAMETER_NAMES) {
          const values = cellCase.values[name];
          if (values === undefined) continue;
          const loss = (changed: Float64Array): number =>
            lossOf(cellCase, float64Cell(cellCase, { [name]: changed }));
          expectClose(gradients[name]!, differences(loss, values), 2e-5);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("start the states with the initial ones, to the bit", () => {
    fc.assert(
      fc.property(cellVariants, sizes, fc.integer(), ({ spec, options }, given, seed) => {
        const cellCase = randomCellCase(spec, options, given, seed);
        const { initialHidden, initialCell } = cellCase.values;
        tidy(() => {
          const { hidden, cell } = runCell(spec, tensorsOf(cellCase));
          const firstOf = (states: Tensor3D, { length }: ArrayLike<number>): number[] =>
            Array.from(states.dataSync().subarray(0, length));
          expect(firstOf(hidden, initialHidden!)).toEqual(Array.from(initialHidden!));
          if (cell) expect(firstOf(cell, initialCell!)).toEqual(Array.from(initialCell!));
        });
      }),
      { numRuns: 30 },
    );
  });

  it("let a NaN through to its row, so that the loss shows it, and to no other", () => {
    fc.assert(
      fc.property(cellVariants, sizes, fc.nat(), fc.integer(), (variant, given, place, seed) => {
        const cellCase = randomCellCase(variant.spec, variant.options, given, seed);
        const inputGates = Float32Array.from(cellCase.values.inputGates!);
        const at = place % inputGates.length;
        inputGates[at] = NaN;
        const { hidden } = cellNumbers({ ...cellCase, values: { ...cellCase.values, inputGates } });
        const { numRows, stateSize } = cellCase.sizes;
        const rowLength = inputGates.length / (given.numSteps * numRows);
        const position = Math.floor(at / rowLength);
        for (let other = 0; other < given.numSteps * numRows; other++) {
          const ofPosition = hidden.subarray(other * stateSize, (other + 1) * stateSize);
          const isLater = other >= position && other % numRows === position % numRows;
          if (other === position) expect(ofPosition.some(Number.isNaN)).toBe(true);
          if (!isLater) expect(ofPosition.some(Number.isNaN)).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("normalize rows, and pass gradients back, as float64 arithmetic does", () => {
    const shapes = fc.record({
      numRows: fc.integer({ min: 1, max: 4 }),
      numColumns: fc.integer({ min: 1, max: 9 }),
      hasGain: fc.boolean(),
      hasBias: fc.boolean(),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(shapes, ({ numRows: N, numColumns: C, hasGain, hasBias, seed }) => {
        const draw = randomValues(seed);
        const epsilon = 0.01;
        const [rows, slopes] = [draw(N * C, 3), draw(N * C)];
        const gain = hasGain ? draw(C, 2) : undefined;
        const bias = hasBias ? draw(C, 2) : undefined;
        const outputsOf = (values: ArrayLike<number>): number[] =>
          Array.from({ length: N }, (_, n) =>
            normalized(Array.from(values).slice(n * C, (n + 1) * C), epsilon),
          ).flatMap((row) => row.map((v, k) => v * (gain?.[k] ?? 1) + (bias?.[k] ?? 0)));
        tidy(() => {
          const gainTensor = gain && tensor1d(gain);
          const { outputs, ...forward } = layerNorm({
            rows: tensor2d(rows, [N, C]),
            gain: gainTensor,
            bias: bias && tensor1d(bias),
            epsilon,
          });
          const gradient = layerNormGradient({
            ...forward,
            gradient: tensor2d(slopes, [N, C]),
            gain: gainTensor,
          });
          expectClose(outputs.dataSync(), outputsOf(rows), 5e-6);
          const loss = (values: Float64Array): number =>
            outputsOf(values).reduce((sum, value, k) => sum + value * slopes[k]!, 0);
          expectClose(gradient.dataSync(), differences(loss, rows), 2e-5);
        });
      }),
      { numRuns: 60 },
    );
  });
});
