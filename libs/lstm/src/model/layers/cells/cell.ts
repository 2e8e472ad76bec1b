import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import type { RecurrentStackSpec } from "../../../spec/index.js";
import type { BatchLeaf } from "../../batch-leaves.js";
import type { GateActivations, Padding, Pass } from "../../pass/index.js";

/** State of a layer between two time steps, or the gradient with respect to it. */
export interface LayerState {
  /** [B,R] */
  readonly hidden: Tensor2D;
  /** [B,H]; of an LSTM. */
  readonly cell?: Tensor2D | undefined;
}

/** One direction of one layer. Letters as in the layout: G gates, H hidden size, R output size. */
export interface CellCall {
  readonly pass: Pass;
  readonly spec: RecurrentStackSpec;
  /** What the names of its parameter tensors start with, such as `layers.0`. */
  readonly prefix: string;
  /** Tells its random masks from those of others. */
  readonly maskLayer: number;
  /** [T,B,G·H]: the inputs' share of the gates with the bias. */
  readonly gates: Tensor3D;
  /** [R,G·H] */
  readonly recurrentKernel: Tensor2D;
  /** [G·H,R] */
  readonly recurrentKernelTransposed: Tensor2D;
  readonly initial: LayerState;
  /** Undefined when all rows have all steps. */
  readonly padding: Padding | undefined;
}

/** What a cell computed over all time steps, and the way back. */
export interface CellRun {
  readonly activations: GateActivations;
  /** [T+1,B,R]: the initial hidden state, then h_t of each step. */
  readonly hidden: Tensor3D;
  /** [T+1,B,H]; of an LSTM. */
  readonly cell?: Tensor3D | undefined;
  /**
   * @param hiddenGradient [T,B,R], with respect to each h_t.
   * @param cellGradient [T,B,H], with respect to each c_t, from outside of the recurrence.
   */
  readonly backward: (
    hiddenGradient: Tensor3D,
    cellGradient: Tensor3D | undefined,
  ) => CellGradients;
}

export interface CellGradients {
  /** [T,B,G·H], with respect to the `gates` of the call. */
  readonly gates: Tensor3D;
  /**
   * Whether h_{t−1} × the recurrent kernel goes into the gates as it is: then they have the gradient of that product
   * as well, and inputs and hidden states can be taken for one factor.
   */
  readonly addsToGates: boolean;
  readonly initial: LayerState;
  /** Of the layer's hidden states; asked for by who looks on. */
  readonly hiddenPaths: () => HiddenPaths;
  /**
   * @param pass whose nodes the gradients are wanted of: the call's, or one that differs in its nodes.
   * @param hidden [T+1,B,R]: the initial hidden state, then h_t of each step, zeros in the padding.
   */
  readonly recurrent: (pass: Pass, hidden: Tensor3D) => RecurrentGradients;
  /** The layer's tensors beyond kernel and bias, in any order. */
  readonly further: readonly {
    readonly name: string;
    readonly gradientOf: (leaf: BatchLeaf) => Tensor;
  }[];
}

/** The ways by which a gradient gets from a step to the hidden state before it. */
export interface HiddenPaths {
  /** [T,B,R], with respect to h_{t−1}, through the products of step t. */
  readonly products: Tensor3D;
  /** [T,B,R]: the share of h_{t−1} that is h_t's as it is, through no product; undefined for none. */
  readonly direct: Tensor3D | undefined;
}

/** Of each node of the call. */
export interface RecurrentGradients {
  /** [R,G·H] */
  readonly kernels: readonly Float32Array[];
  /** [G·H] */
  readonly biases: readonly Float32Array[];
}
