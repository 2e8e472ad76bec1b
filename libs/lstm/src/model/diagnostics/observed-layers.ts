import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { GateName, ObservedDirection, PassObserver } from "../pass/index.js";

/** What one direction of one recurrent layer did in one pass, as plain arrays. Letters as in the layout. */
export interface ObservedLayer {
  /** Such as `layers.0`, or `layers.0.backward`. */
  readonly name: string;
  /** T */
  readonly numSteps: number;
  /** B */
  readonly numRows: number;
  /** [B]; undefined when all rows have all steps. */
  readonly lengths: Int32Array | undefined;
  /** G of them, in the order of the columns. */
  readonly gates: readonly GateName[];
  /** [T,B,G·H] */
  readonly activations: Float32Array;
  /** [T,B,G·H], with respect to the gates before their activations; empty until backward was there. */
  readonly gateGradients: Float32Array;
  /** [T,B,R], with respect to the hidden states, through all later time steps; empty until backward was there. */
  readonly hiddenGradients: Float32Array;
  /** [T,B,R], with respect to the outputs, from outside alone; empty until backward was there. */
  readonly outputGradients: Float32Array;
}

/**
 * An observer that keeps what it sees.
 *
 * @example
 * const recorder = recordLayers();
 * model.computeGradients({ batch, seed, step, onGradient, observer: recorder.observer });
 * const [lowest] = recorder.layers();
 */
export function recordLayers(): {
  readonly observer: PassObserver;
  /** In the order of forward, the lowest layer first. */
  readonly layers: () => readonly ObservedLayer[];
} {
  const seen = new Map<string, ObservedLayer>();
  const update = ({ prefix }: ObservedDirection, changes: Partial<ObservedLayer>): void => {
    const layer = seen.get(prefix);
    if (layer !== undefined) seen.set(prefix, { ...layer, ...changes });
  };
  return {
    layers: () => [...seen.values()],
    observer: {
      onActivations({ prefix, lengths }, { names, values }) {
        const [numSteps, numRows] = values.shape;
        seen.set(prefix, {
          name: prefix,
          numSteps,
          numRows,
          lengths,
          gates: names,
          activations: copyOf(values),
          gateGradients: new Float32Array(0),
          hiddenGradients: new Float32Array(0),
          outputGradients: new Float32Array(0),
        });
      },
      onGradients(direction, { gates, hidden, outputs }) {
        update(direction, {
          gateGradients: copyOf(gates),
          hiddenGradients: copyOf(hidden),
          outputGradients: copyOf(outputs),
        });
      },
    },
  };
}

function copyOf(values: Tensor3D): Float32Array {
  return values.dataSync<"float32">().slice();
}

/** Own steps of a row. */
export function lengthOf({ lengths, numSteps }: ObservedLayer, row: number): number {
  return lengths?.[row] ?? numSteps;
}
