import { add, concat, mul, pad, reshape, slice, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { layerNorm, layerNormGradient, sequenceRows } from "@ostinato/kernels/tensor";

import type { RecurrentStackSpec } from "../../spec/index.js";
import type { BatchLeaf } from "../batch-leaves.js";
import {
  afterFirst,
  asRows,
  asSequence,
  beforeLast,
  columnSums,
  emitLeafGradients,
  positionsOf,
} from "../pass/index.js";
import type { Padding, Pass } from "../pass/index.js";
import { gru } from "./cells/gru.js";
import { lstm } from "./cells/lstm.js";
import { lstmVariant } from "./cells/lstm-variant.js";
import { rnn } from "./cells/rnn.js";
import type { CellCall, CellGradients, CellRun, LayerState } from "./cells/cell.js";
import type { GateInputs, InputKernel } from "./gate-inputs.js";
import { LAYER_NORM_EPSILON } from "./layer-normalization.js";
import { weightMask } from "./random-masks.js";

export interface RecurrentLayerCall {
  readonly pass: Pass;
  readonly spec: RecurrentStackSpec;
  /** What the names of the layer's parameter tensors start with, such as `layers.0`. */
  readonly prefix: string;
  /** Tells its random masks from those of others. */
  readonly maskLayer: number;
  readonly inputs: GateInputs;
  readonly initial: LayerState;
  /** Undefined when all rows have all steps. */
  readonly padding: Padding | undefined;
}

export interface RecurrentLayerRun {
  /** [T,B,R]: h_t of each step, zeros in the padding. */
  readonly outputs: Tensor3D;
  /** After each row's last step. */
  readonly final: LayerState;
  /**
   * @param gradient [T,B,R], with respect to the outputs.
   * @param final with respect to the final state, of which something else has read.
   */
  readonly backward: (gradient: Tensor3D, final?: LayerState) => RecurrentLayerGradients;
}

export interface RecurrentLayerGradients {
  /** [T,B,I]; undefined if nothing below reads it. */
  readonly inputs: Tensor3D | undefined;
  readonly initial: LayerState;
}

/** One recurrent layer in one direction, over all time steps. */
export function recurrentLayer(call: RecurrentLayerCall): RecurrentLayerRun {
  const { pass, spec, prefix, inputs, padding, initial } = call;
  const kernelName = `${prefix}.kernel`;
  const biasName = `${prefix}.bias`;
  pass.progress.beginLayer();
  const inputKernel = inputKernelOf(pass, kernelName, initial);
  const recurrent = recurrentKernelOf(call, kernelName);
  const products = inputProducts(call, inputKernel, pass.parameters.vector(biasName));
  const run = cellOf(spec)({
    ...call,
    gates: products.gates,
    recurrentKernel: recurrent.values,
    recurrentKernelTransposed: recurrent.transposed,
  });
  const own = afterFirst(run.hidden);
  const outputs = padding === undefined ? own : padding.mask(own);
  return {
    outputs,
    final: finalState(run, padding),
    backward(gradient, final) {
      pass.progress.beginLayer();
      const outside = outsideGradients(gradient, final, padding);
      const gradients = run.backward(outside.hidden, outside.cell);
      const ofProducts = products.backward(gradients.gates);
      const hidden = withInitial(initial, outputs);
      const offsetOf = ({ name }: { readonly name: string }): number =>
        pass.parameters.offsetOf(name);
      const further = [...gradients.further, ...ofProducts.further].sort(
        (a, b) => offsetOf(a) - offsetOf(b),
      );
      const names = [kernelName, biasName, ...further.map(({ name }) => name)];
      emitLeafGradients(pass, names, (leaf) => {
        const ofRecurrent = gradients.recurrent(leaf, beforeLast(hidden, leaf));
        const products_NG = positionsOf(ofProducts.gradient, leaf);
        const ofInputs = inputs.kernelGradient(leaf, products_NG, inputKernel);
        return [
          concat([ofInputs, recurrent.gradient(ofRecurrent.kernel)], 0),
          ofRecurrent.bias,
          ...further.map(({ gradientOf }) => gradientOf(leaf)),
        ];
      });
      return {
        inputs: inputs.inputGradient(ofProducts.gradient, inputKernel),
        initial: gradients.initial,
      };
    },
  };
}

function cellOf(spec: RecurrentStackSpec): (call: CellCall) => CellRun {
  switch (spec.cell) {
    case "gru":
      return gru;
    case "rnn":
      return rnn;
    case "lstm":
      return hasLstmOptions(spec) ? lstmVariant : lstm;
    default:
      return spec.cell satisfies never;
  }
}

function hasLstmOptions(spec: RecurrentStackSpec): boolean {
  const { peephole, coupledGates, layerNorm: isNormalized, projectionSize } = spec;
  const { zoneoutHidden, zoneoutCell } = spec;
  const isPlain = !peephole && !coupledGates && !isNormalized && projectionSize === null;
  return !isPlain || zoneoutHidden > 0 || zoneoutCell > 0;
}

/** The kernel's rows that multiply the inputs. */
function inputKernelOf({ parameters }: Pass, name: string, { hidden }: LayerState): InputKernel {
  const kernel = parameters.matrix(name);
  const [numRows, width] = kernel.shape;
  const values = parameters.derived(`input rows of ${name}`, (): Tensor2D =>
    slice(kernel, [0, 0], [numRows - hidden.shape[1], width]),
  );
  const transposed = parameters.derived(`transpose of the input rows of ${name}`, (): Tensor2D =>
    transpose(values),
  );
  return { name, values, transposed };
}

interface RecurrentKernel {
  /** [R,G·H] */
  readonly values: Tensor2D;
  /** [G·H,R] */
  readonly transposed: Tensor2D;
  /** From the gradient of `values` to that of the parameters. */
  readonly gradient: (ofValues: Tensor2D) => Tensor2D;
}

/** The kernel's rows that multiply the hidden state, with their weights dropped in training. */
function recurrentKernelOf(
  { pass, spec, maskLayer, initial }: RecurrentLayerCall,
  name: string,
): RecurrentKernel {
  const { parameters, training } = pass;
  const kernel = parameters.matrix(name);
  const [numRows, width] = kernel.shape;
  const outputSize = initial.hidden.shape[1];
  const values = parameters.derived(`recurrent rows of ${name}`, (): Tensor2D =>
    slice(kernel, [numRows - outputSize, 0], [outputSize, width]),
  );
  if (training === undefined || spec.weightDropout === 0) {
    const transposed = parameters.derived(
      `transpose of the recurrent rows of ${name}`,
      (): Tensor2D => transpose(values),
    );
    return { values, transposed, gradient: (ofValues) => ofValues };
  }
  const maskName = { purpose: "weightDropout", layer: maskLayer } as const;
  const mask = weightMask(training, maskName, [outputSize, width], spec.weightDropout);
  const masked: Tensor2D = mul(values, mask);
  return {
    values: masked,
    transposed: transpose(masked),
    gradient: (ofValues) => mul(ofValues, mask),
  };
}

interface InputProducts {
  /** [T,B,G·H] */
  readonly gates: Tensor3D;
  /** From the gradient of the gates to that of inputs × kernel. */
  readonly backward: (ofGates: Tensor3D) => {
    readonly gradient: Tensor3D;
    readonly further: CellGradients["further"];
  };
}

/** inputs × kernel + bias, the product normalized where the spec says so (Ba et al., 2016, eq. 20). */
function inputProducts(
  { pass, spec, prefix, inputs }: RecurrentLayerCall,
  kernel: InputKernel,
  bias: Tensor1D,
): InputProducts {
  if (!spec.layerNorm) {
    const backward = (gradient: Tensor3D): ReturnType<InputProducts["backward"]> => ({
      gradient,
      further: [],
    });
    return { gates: inputs.gates(kernel, bias), backward };
  }
  const gainName = `${prefix}.inputGain`;
  const gain = pass.parameters.vector(gainName);
  const rows = asRows(inputs.gates(kernel, undefined));
  const normalization = layerNorm({ rows, gain, bias, epsilon: LAYER_NORM_EPSILON });
  const { normalized, inverseDeviations } = normalization;
  const toSequence = (values: Tensor2D): Tensor3D => asSequence(values, pass.numRows);
  return {
    gates: toSequence(normalization.outputs),
    backward(ofGates) {
      const gradient = asRows(ofGates);
      const ofRows = layerNormGradient({ gradient, normalized, inverseDeviations, gain });
      const perUnit = toSequence(mul(gradient, normalized));
      const gradientOf = (leaf: BatchLeaf): Tensor1D => columnSums(positionsOf(perUnit, leaf));
      return { gradient: toSequence(ofRows), further: [{ name: gainName, gradientOf }] };
    },
  };
}

/**
 * h_0 … h_T with zeros in the padding, where the state runs on and may grow beyond all bounds, as a
 * relu's does.
 */
function withInitial({ hidden }: LayerState, outputs: Tensor3D): Tensor3D {
  return concat([reshape(hidden, [1, ...hidden.shape]), outputs], 0);
}

function finalState({ hidden, cell }: CellRun, padding: Padding | undefined): LayerState {
  const last = (sequence: Tensor3D): Tensor2D => {
    if (padding !== undefined) return padding.last(afterFirst(sequence));
    const [numSteps, numRows] = sequence.shape;
    return sequenceRows(sequence, { firstStep: numSteps - 1, numSteps: 1, firstRow: 0, numRows });
  };
  return { hidden: last(hidden), cell: cell && last(cell) };
}

/** What reaches each h_t and c_t from outside of the recurrence. */
function outsideGradients(
  gradient: Tensor3D,
  final: LayerState | undefined,
  padding: Padding | undefined,
): { readonly hidden: Tensor3D; readonly cell: Tensor3D | undefined } {
  const numSteps = gradient.shape[0];
  const atLast = (ofFinal: Tensor2D): Tensor3D => {
    if (padding !== undefined) return padding.atLast(ofFinal);
    const sequence: Tensor3D = reshape(ofFinal, [1, ...ofFinal.shape]);
    return pad(sequence, [
      [numSteps - 1, 0],
      [0, 0],
      [0, 0],
    ]);
  };
  const ofOutputs = padding === undefined ? gradient : padding.mask(gradient);
  if (final === undefined) return { hidden: ofOutputs, cell: undefined };
  return {
    hidden: add(ofOutputs, atLast(final.hidden)),
    cell: final.cell && atLast(final.cell),
  };
}
