import { add, concat, pad, reshape } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { joined, sequenceRows } from "@ostinato/kernels/tensor";

import { afterFirst, emitLeafGradients, leafNodes, nodeSums } from "../../pass/index.js";
import type { Padding, Pass } from "../../pass/index.js";
import { cellOf, recurrentGradients } from "../cells/index.js";
import type { CellRun, LayerState, RecurrentGradients } from "../cells/index.js";
import { hiddenGradients } from "./hidden-gradients.js";
import { inputKernelOf, inputProducts, recurrentKernelOf } from "./layer-kernels.js";
import type { LayerKernelsCall, RecurrentKernel } from "./layer-kernels.js";

export interface RecurrentLayerCall extends LayerKernelsCall {
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
  const observed = { prefix, lengths: padding?.lengths };
  pass.observer?.onActivations(observed, run.activations);
  const own = afterFirst(run.hidden);
  const outputs = padding === undefined ? own : padding.mask(own);
  return {
    outputs,
    final: finalState(run, padding),
    backward(gradient, final) {
      pass.progress.beginLayer();
      const outside = outsideGradients(gradient, final, padding);
      const gradients = run.backward(outside.hidden, outside.cell);
      pass.observer?.onGradients(observed, {
        gates: gradients.gates,
        hidden: hiddenGradients(outside.hidden, gradients.hiddenPaths()),
        outputs: outside.hidden,
      });
      const ofProducts = products.backward(gradients.gates);
      const hidden = padding === undefined ? run.hidden : withInitial(initial, outputs);
      const offsetOf = ({ name }: { readonly name: string }): number =>
        pass.parameters.offsetOf(name);
      const further = [...gradients.further, ...ofProducts.further].sort(
        (a, b) => offsetOf(a) - offsetOf(b),
      );
      const { kernels, biases } =
        gradients.addsToGates &&
        ofProducts.gradient === gradients.gates &&
        recurrent.mask === undefined &&
        inputs.rows !== undefined
          ? // The gradient of the gates is read once for inputs and hidden states.
            recurrentGradients(pass, {
              ...{ rows: inputs.rows, furtherRows: hidden },
              gradient: gradients.gates,
            })
          : separateGradients();
      pass.onGradient(kernelName, kernels);
      pass.onGradient(biasName, biases);
      emitLeafGradients(
        pass,
        further.map(({ name }) => name),
        (leaf) => further.map(({ gradientOf }) => gradientOf(leaf)),
      );
      return {
        inputs: inputs.inputGradient(ofProducts.gradient, inputKernel),
        initial: gradients.initial,
      };

      function separateGradients(): RecurrentGradients {
        const ofRecurrent = maskedGradients(pass, recurrent, (of) =>
          gradients.recurrent(of, hidden),
        );
        const ofInputs = inputs.kernelGradients(ofProducts.gradient, inputKernel);
        return {
          // [I,G·H] and [R,G·H] → [I+R,G·H]
          kernels: ofInputs.map((values, n) => joined([values, ofRecurrent.kernels[n]!])),
          biases: ofRecurrent.biases,
        };
      }
    },
  };
}

/** Masked leaf by leaf, where the kernel was: a product of a sum has other bits than a sum of products. */
function maskedGradients(
  pass: Pass,
  { mask }: RecurrentKernel,
  gradientsOf: (pass: Pass) => RecurrentGradients,
): RecurrentGradients {
  if (mask === undefined) return gradientsOf(pass);
  const factors = mask.dataSync<"float32">();
  const { kernels, biases } = gradientsOf({ ...pass, nodes: leafNodes(pass.leaves.length) });
  for (const values of kernels) {
    for (let k = 0; k < values.length; k++) values[k] = values[k]! * factors[k]!;
  }
  return { kernels: nodeSums(pass, kernels), biases: nodeSums(pass, biases) };
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
