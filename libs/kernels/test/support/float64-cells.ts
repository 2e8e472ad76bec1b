/** The recurrent layers of the kernel contract in float64, one scalar at a time, forward only. */
import type { CellCase, CellSpec, Named } from "./cell-case.js";
import { numGatesOf } from "./cell-case.js";

const sigma = (a: number): number => 1 / (1 + Math.exp(-a));

type Vector = readonly number[];

interface State {
  readonly h: Vector;
  readonly c: Vector;
}

export interface Float64Outputs {
  /** [T,B,R]: h_1 … h_T */
  readonly hidden: Float64Array;
  /** [T,B,H]: c_1 … c_T; without meaning for cells that have none. */
  readonly cell: Float64Array;
  /** The least |a| that a relu was taken of: central differences do not hold across its kink. */
  readonly kinkDistance: number;
}

/** What one step of one row reads. */
interface Step {
  readonly spec: CellSpec;
  readonly hiddenSize: number;
  readonly epsilon: number;
  /** Of the whole case. */
  readonly weights: Named<ArrayLike<number>>;
  /** [G·H] of this step and row. */
  readonly x: Vector;
  readonly keepHidden: Vector | undefined;
  readonly keepCell: Vector | undefined;
  readonly onRelu: (a: number) => void;
}

export function float64Cell(
  { spec, sizes, values }: CellCase,
  changed: Named<ArrayLike<number>> = {},
): Float64Outputs {
  const { numSteps: T, numRows: B, hiddenSize: H, stateSize: R } = sizes;
  const weights: Named<ArrayLike<number>> = { ...values, ...changed };
  const width = numGatesOf(spec) * H;
  const hidden = new Float64Array(T * B * R);
  const cell = new Float64Array(T * B * H);
  let kinkDistance = Infinity;
  const rowOf = (array: ArrayLike<number> | undefined, row: number, size: number): Vector =>
    Array.from({ length: size }, (_, k) => array?.[row * size + k] ?? 0);
  for (let row = 0; row < B; row++) {
    let state: State = {
      h: rowOf(weights.initialHidden, row, R),
      c: rowOf(weights.initialCell, row, H),
    };
    for (let t = 0; t < T; t++) {
      const at = t * B + row;
      const keep = weights.keep ?? weights.keepHidden;
      state = stepOf(state, {
        spec,
        hiddenSize: H,
        epsilon: spec.cell === "lstmVariant" ? (spec.epsilon ?? 0) : 0,
        weights,
        x: rowOf(weights.inputGates, at, width),
        keepHidden: keep && rowOf(keep, at, R),
        keepCell: weights.keepCell && rowOf(weights.keepCell, at, H),
        onRelu: (a) => (kinkDistance = Math.min(kinkDistance, Math.abs(a))),
      });
      hidden.set(state.h, at * R);
      cell.set(state.c, at * H);
    }
  }
  return { hidden, cell, kinkDistance };
}

function stepOf(before: State, step: Step): State {
  switch (step.spec.cell) {
    case "lstm":
    case "lstmVariant":
      return lstmStep(before, step);
    case "gru":
      return { h: mixed(step.keepHidden, before.h, gruStep(before.h, step)), c: before.c };
    case "rnn":
      return { h: mixed(step.keepHidden, before.h, rnnStep(before.h, step)), c: before.c };
  }
}

function lstmStep({ h, c }: State, step: Step): State {
  const { spec, hiddenSize: H, weights: w, x } = step;
  const isCoupled = spec.cell === "lstmVariant" && spec.coupledGates;
  const product = times(h, w.recurrentKernel!, x.length);
  const recurrent = w.recurrentGain
    ? normalized(product, step.epsilon).map((value, k) => value * w.recurrentGain![k]!)
    : product;
  const a = (column: number, j: number): number => x[column * H + j]! + recurrent[column * H + j]!;
  const p = (row: number, j: number): number => w.peephole?.[row * H + j] ?? 0;
  const [gColumn, oColumn, oRow] = isCoupled ? [1, 2, 1] : [2, 3, 2];
  const candidate = c.map((value, j) => {
    const i = sigma(a(0, j) + p(0, j) * value);
    const f = isCoupled ? 1 - i : sigma(a(1, j) + p(1, j) * value);
    return f * value + i * Math.tanh(a(gColumn, j));
  });
  const seen = w.cellGain
    ? normalized(candidate, step.epsilon).map((v, j) => v * w.cellGain![j]! + w.cellBias![j]!)
    : candidate;
  const output = candidate.map(
    (value, j) => sigma(a(oColumn, j) + p(oRow, j) * value) * Math.tanh(seen[j]!),
  );
  const projected = w.projection ? times(output, w.projection, h.length) : output;
  return { h: mixed(step.keepHidden, h, projected), c: mixed(step.keepCell, c, candidate) };
}

function gruStep(h: Vector, { spec, hiddenSize: H, weights, x }: Step): Vector {
  const product = times(h, weights.recurrentKernel!, 3 * H);
  const r = h.map((_, j) => sigma(x[j]! + product[j]!));
  const z = h.map((_, j) => sigma(x[H + j]! + product[H + j]!));
  const reset = times(
    h.map((value, j) => r[j]! * value),
    weights.recurrentKernel!,
    3 * H,
  );
  const resetAfter = spec.cell === "gru" && spec.resetAfter;
  return h.map((value, j) => {
    const candidate = resetAfter
      ? r[j]! * (product[2 * H + j]! + (weights.candidateBias?.[j] ?? 0))
      : reset[2 * H + j]!;
    return (1 - z[j]!) * Math.tanh(x[2 * H + j]! + candidate) + z[j]! * value;
  });
}

function rnnStep(h: Vector, { spec, weights, x, onRelu }: Step): Vector {
  const product = times(h, weights.recurrentKernel!, h.length);
  return x.map((value, j) => {
    const a = value + product[j]!;
    if (spec.cell !== "rnn" || spec.activation === "tanh") return Math.tanh(a);
    onRelu(a);
    return Math.max(0, a);
  });
}

/** [size] × [size,width] */
function times(row: Vector, kernel: ArrayLike<number>, width: number): Vector {
  return Array.from({ length: width }, (_, column) =>
    row.reduce((sum, value, k) => sum + value * kernel[k * width + column]!, 0),
  );
}

function mixed(keep: Vector | undefined, before: Vector, after: Vector): Vector {
  if (keep === undefined) return after;
  return after.map((value, j) => keep[j]! * before[j]! + (1 - keep[j]!) * value);
}

/** (row − mean) / √(variance + epsilon) */
export function normalized(row: Vector, epsilon: number): Vector {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}
