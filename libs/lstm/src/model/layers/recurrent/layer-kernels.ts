/** What a recurrent layer multiplies with: inputs × kernel, and the recurrent kernel for its cell. */
import { mul, slice, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { layerNorm, layerNormGradient } from "@ostinato/kernels/tensor";

import type { RecurrentStackSpec } from "../../../spec/index.js";
import type { BatchLeaf } from "../../batch-leaves.js";
import { asRows, asSequence, columnSums, positionsOf } from "../../pass/index.js";
import type { Pass } from "../../pass/index.js";
import type { CellGradients, LayerState } from "../cells/index.js";
import { LAYER_NORM_EPSILON } from "../normalization/index.js";
import { weightMask } from "../regularization/index.js";
import type { GateInputs, InputKernel } from "./gate-inputs.js";

/** The part of a recurrent layer's call that its kernels follow from. */
export interface LayerKernelsCall {
  readonly pass: Pass;
  readonly spec: RecurrentStackSpec;
  /** What the names of the layer's parameter tensors start with, such as `layers.0`. */
  readonly prefix: string;
  /** Tells its random masks from those of others. */
  readonly maskLayer: number;
  readonly inputs: GateInputs;
  readonly initial: LayerState;
}

/** The kernel's rows that multiply the inputs. */
export function inputKernelOf(
  { parameters }: Pass,
  name: string,
  { hidden }: LayerState,
): InputKernel {
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

export interface RecurrentKernel {
  /** [R,G·H] */
  readonly values: Tensor2D;
  /** [G·H,R] */
  readonly transposed: Tensor2D;
  /** [R,G·H]: what the parameters were multiplied with; undefined for nothing. */
  readonly mask: Tensor2D | undefined;
}

/** The kernel's rows that multiply the hidden state, with their weights dropped in training. */
export function recurrentKernelOf(
  { pass, spec, maskLayer, initial }: LayerKernelsCall,
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
    return { values, transposed, mask: undefined };
  }
  const maskName = { purpose: "weightDropout", layer: maskLayer } as const;
  const mask = weightMask(training, maskName, [outputSize, width], spec.weightDropout);
  const masked: Tensor2D = mul(values, mask);
  return {
    values: masked,
    transposed: transpose(masked),
    mask,
  };
}

export interface InputProducts {
  /** [T,B,G·H] */
  readonly gates: Tensor3D;
  /** From the gradient of the gates to that of inputs × kernel. */
  readonly backward: (ofGates: Tensor3D) => {
    readonly gradient: Tensor3D;
    readonly further: CellGradients["further"];
  };
}

/** inputs × kernel + bias, the product normalized where the spec says so (Ba et al., 2016, eq. 20). */
export function inputProducts(
  { pass, spec, prefix, inputs }: LayerKernelsCall,
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
