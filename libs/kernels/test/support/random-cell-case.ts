/** Cases with random sizes, options and numbers. */
import fc from "fast-check";

import { numGatesOf, shapeOf } from "./cell-case.js";
import type { CellCase, CellSizes, CellSpec, CellTensorName } from "./cell-case.js";
import { randomValues } from "./random-values.js";

export interface CellOptions {
  readonly peephole?: boolean;
  readonly projection?: boolean;
  readonly layerNorm?: boolean;
  readonly zoneout?: boolean;
  readonly candidateBias?: boolean;
  readonly cellGradient?: boolean;
}

/** Of every cell and any combination of its options. */
export const cellVariants: fc.Arbitrary<{ spec: CellSpec; options: CellOptions }> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      spec: fc.constant({ cell: "lstm" } as const),
      options: fc.record({ cellGradient: fc.boolean() }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      spec: fc.record({
        cell: fc.constant("lstmVariant" as const),
        coupledGates: fc.boolean(),
        epsilon: fc.constantFrom(0.01, 0.1),
      }),
      options: fc.record({
        peephole: fc.boolean(),
        projection: fc.boolean(),
        layerNorm: fc.boolean(),
        zoneout: fc.boolean(),
        cellGradient: fc.boolean(),
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ resetAfter: fc.boolean(), zoneout: fc.boolean(), hasBias: fc.boolean() })
      .map(({ resetAfter, zoneout, hasBias }) => ({
        spec: { cell: "gru", resetAfter } as const,
        options: { zoneout, candidateBias: resetAfter && hasBias },
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      spec: fc.record({
        cell: fc.constant("rnn" as const),
        activation: fc.constantFrom("tanh" as const, "relu" as const),
      }),
      options: fc.record({ zoneout: fc.boolean() }),
    }),
  },
);

/** Numbers for a cell with the options; without a projection, `stateSize` is ignored. */
export function randomCellCase(
  spec: CellSpec,
  options: CellOptions,
  sizes: CellSizes,
  seed: number,
): CellCase {
  const stateSize = options.projection ? sizes.stateSize : sizes.hiddenSize;
  const empty: CellCase = { spec, sizes: { ...sizes, stateSize }, values: {} };
  const values = randomValues(seed);
  const isLstm = spec.cell === "lstm" || spec.cell === "lstmVariant";
  const countOf = (name: CellTensorName): number =>
    shapeOf(name, empty).reduce((size, length) => size * length, 1);
  const drawn = (name: CellTensorName, scale: number): [string, Float32Array] => [
    name,
    values(countOf(name), scale),
  ];
  /** Masks of 0 and 1 or shares between, by the seed. */
  const shares = (name: CellTensorName): [string, Float32Array] => [
    name,
    values(countOf(name)).map((value) =>
      seed % 2 === 0 ? Number(value > 0) : Math.fround((value + 1) / 2),
    ),
  ];
  const kernelScale = 1.5 / Math.sqrt(stateSize);
  const zoneoutNames: CellTensorName[] = isLstm ? ["keepHidden", "keepCell"] : ["keep"];
  const entries = [
    drawn("inputGates", numGatesOf(spec) === 1 ? 1 : 2),
    drawn("recurrentKernel", kernelScale),
    drawn("initialHidden", 1),
    drawn("hiddenGradient", 1),
    ...(isLstm ? [drawn("initialCell", 2)] : []),
    ...(options.candidateBias ? [drawn("candidateBias", 1)] : []),
    ...(options.peephole ? [drawn("peephole", 1)] : []),
    ...(options.projection ? [drawn("projection", 1.5 / Math.sqrt(sizes.hiddenSize))] : []),
    ...(options.layerNorm
      ? [drawn("recurrentGain", 1), drawn("cellGain", 1), drawn("cellBias", 1)]
      : []),
    ...(options.zoneout ? zoneoutNames.map(shares) : []),
    ...(options.cellGradient ? [drawn("cellGradient", 1)] : []),
  ];
  return { ...empty, values: Object.fromEntries(entries) };
}
