/** One row through one direction of one recurrent layer, from the papers' formulas. */
import type { RecurrentStackSpec } from "../../src/index.js";
import type { ActivationMask } from "./masks.js";
import { product, standardized } from "./tensors.js";
import type { OracleTensors, Vector } from "./tensors.js";

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));

export interface CellState {
  readonly h: Vector;
  /** Empty but for an LSTM. */
  readonly c: Vector;
}

export interface CellMasks {
  readonly keepHidden: ActivationMask;
  readonly keepCell: ActivationMask;
  /** Of the recurrent rows of the kernel. */
  readonly weight: (counter: number) => number;
  /** What the hidden state is moved by after a step. */
  readonly nudge: (t: number) => Vector | undefined;
}

/** What one step needs of its layer. */
interface Cell {
  readonly spec: RecurrentStackSpec;
  readonly masks: CellMasks;
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
  /** Another tensor of the layer by the last part of its name. */
  readonly of: (name: string) => Float64Array;
  /** The rows of the kernel that multiply h, after weight dropout. */
  readonly recurrentKernel: Float64Array;
}

/** h_1 … h_T, and the state after the last step. */
export function runCell(
  spec: RecurrentStackSpec,
  tensors: OracleTensors,
  prefix: string,
  steps: readonly Vector[],
  initial: CellState,
  masks: CellMasks,
): { readonly outputs: readonly Vector[]; readonly final: CellState } {
  const of = (name: string): Float64Array => tensors.of(`${prefix}.${name}`);
  const [kernel, bias] = [of("kernel"), of("bias")];
  const recurrentKernel = kernel
    .slice(steps[0]!.length * bias.length)
    .map((weight, counter) => weight * masks.weight(counter));
  const cell: Cell = { spec, masks, kernel, bias, of, recurrentKernel };
  const step = { lstm: lstmStep, gru: gruStep, rnn: rnnStep }[spec.cell];
  let state = initial;
  const outputs = steps.map((x, t) => {
    const { h, c } = step(cell, x, state, t);
    const by = masks.nudge(t);
    state = { h: by === undefined ? h : h.map((value, j) => value + by[j]!), c };
    return state.h;
  });
  return { outputs, final: state };
}

const mixed = (keep: ActivationMask, t: number, before: Vector, after: Vector): number[] =>
  after.map((value, j) => keep(t, j) * before[j]! + (1 - keep(t, j)) * value);

/** Elman (1990): h' = act(x·W + h·U + b). */
function rnnStep(cell: Cell, x: Vector, { h }: CellState, t: number): CellState {
  const { spec, masks, kernel, bias, recurrentKernel } = cell;
  const size = h.length;
  const [ofInput, ofHidden] = [product(x, kernel, size), product(h, recurrentKernel, size)];
  const after = ofInput.map((value, j) => {
    const a = value + ofHidden[j]! + bias[j]!;
    return spec.activation === "tanh" ? Math.tanh(a) : Math.max(a, 0);
  });
  return { h: mixed(masks.keepHidden, t, h, after), c: [] };
}

/** Cho et al. (2014), and the form of PyTorch and cuDNN with the reset after the product. */
function gruStep(cell: Cell, x: Vector, { h }: CellState, t: number): CellState {
  const { spec, masks, kernel, bias, recurrentKernel, of } = cell;
  const size = h.length;
  const ofInput = product(x, kernel, 3 * size).map((value, j) => value + bias[j]!);
  const ofHidden = product(h, recurrentKernel, 3 * size);
  const gate = (first: number): number[] =>
    h.map((_, j) => sigma(ofInput[first + j]! + ofHidden[first + j]!));
  const [r, z] = [gate(0), gate(size)];
  const reset = h.map((value, j) => r[j]! * value);
  const ofReset = product(reset, recurrentKernel, 3 * size);
  const candidateBias = spec.resetAfter ? of("candidateBias") : [];
  const after = h.map((value, j) => {
    const k = 2 * size + j;
    const candidate = spec.resetAfter ? r[j]! * (ofHidden[k]! + candidateBias[j]!) : ofReset[k]!;
    return (1 - z[j]!) * Math.tanh(ofInput[k]! + candidate) + z[j]! * value;
  });
  return { h: mixed(masks.keepHidden, t, h, after), c: [] };
}

/**
 * Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); peepholes by Gers et al.
 * (2002), coupled gates by Greff et al. (2017), projection by Sak et al. (2014), layer normalization by
 * Ba et al. (2016, equations 20 to 22), zoneout by Krueger et al. (2017).
 */
function lstmStep(cell: Cell, x: Vector, { h, c }: CellState, t: number): CellState {
  const { spec, masks, kernel, bias, recurrentKernel, of } = cell;
  const size = c.length;
  const width = bias.length;
  // Columns of the kernel and rows of the peepholes; coupled gates have no f.
  const columns = spec.coupledGates ? { i: 0, f: NaN, g: 1, o: 2 } : { i: 0, f: 1, g: 2, o: 3 };
  const rows = spec.coupledGates ? { i: 0, f: NaN, o: 1 } : { i: 0, f: 1, o: 2 };
  const inputProduct = product(x, kernel, width);
  const hiddenProduct = product(h, recurrentKernel, width);
  const scaled = (values: Vector, name: string): number[] => {
    const gain = of(name);
    return standardized(values).map((value, j) => value * gain[j]!);
  };
  const ofInput = spec.layerNorm ? scaled(inputProduct, "inputGain") : inputProduct;
  const ofHidden = spec.layerNorm ? scaled(hiddenProduct, "recurrentGain") : hiddenProduct;
  const peephole = spec.peephole ? of("peephole") : undefined;
  const sum = (gate: keyof typeof columns, j: number, seen: number): number => {
    const k = columns[gate] * size + j;
    const weight = gate === "g" ? 0 : (peephole?.[rows[gate] * size + j] ?? 0);
    return ofInput[k]! + ofHidden[k]! + bias[k]! + weight * seen;
  };
  const next = c.map((value, j) => {
    const i = sigma(sum("i", j, value));
    const f = spec.coupledGates ? 1 - i : sigma(sum("f", j, value));
    return f * value + i * Math.tanh(sum("g", j, value));
  });
  const cellBias = spec.layerNorm ? of("cellBias") : [];
  const seen = spec.layerNorm
    ? scaled(next, "cellGain").map((value, j) => value + cellBias[j]!)
    : next;
  const out = seen.map((value, j) => sigma(sum("o", j, next[j]!)) * Math.tanh(value));
  const after = spec.projectionSize === null ? out : product(out, of("projection"), h.length);
  return { h: mixed(masks.keepHidden, t, h, after), c: mixed(masks.keepCell, t, c, next) };
}
