import type { Tensor3D } from "@tensorflow/tfjs-core";

/**
 * A gate as the field calls it: of an LSTM the input, forget and output gate and the cell candidate, of a
 * GRU the reset and update gate and the candidate, of a vanilla RNN its only one, the hidden state.
 */
export type GateName =
  "input" | "forget" | "cell" | "output" | "reset" | "update" | "candidate" | "hidden";

/** The gates of a layer after their activations. */
export interface GateActivations {
  /** G of them, in the order of the columns. */
  readonly names: readonly GateName[];
  /** [T,B,G·H] */
  readonly values: Tensor3D;
}

/** One direction of one recurrent layer, as it looks to an observer. */
export interface ObservedDirection {
  /** What the names of its parameter tensors start with, such as `layers.0` or `layers.0.backward`. */
  readonly prefix: string;
  /**
   * [B]: own steps of each row, what follows is padding; undefined when all rows have all steps. The
   * direction from last to first has the own steps in its own order, the last one first.
   */
  readonly lengths: Int32Array | undefined;
}

/**
 * Looks on while a pass goes through the recurrent layers, and changes nothing. What it is given is the
 * pass's: to be read before it returns.
 */
export interface PassObserver {
  readonly onActivations: (direction: ObservedDirection, activations: GateActivations) => void;
  readonly onGradients: (direction: ObservedDirection, gradients: ObservedGradients) => void;
}

/** Gradients of the sum of the losses. */
export interface ObservedGradients {
  /** [T,B,G·H], with respect to the gates before their activations, through all later time steps. */
  readonly gates: Tensor3D;
  /** [T,B,R], with respect to the hidden states h_t, through all later time steps. */
  readonly hidden: Tensor3D;
  /**
   * [T,B,R], with respect to the hidden states from outside of the recurrence alone, not through later time
   * steps: from above, and at a row's last step from who starts from its final state, as a decoder does.
   */
  readonly outputs: Tensor3D;
}
