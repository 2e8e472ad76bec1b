/** Carried states: those this worker computed itself, and those that come with a lease. */

import type { TensorFrame } from "@ostinato/proto";
import { checkFrame, readFrameInto } from "@ostinato/proto";

import { WorkerError } from "../errors/index.js";

/** Steps whose states are kept: the step before the present one, and the present one. */
const NUM_STEPS_KEPT = 2;

/** What this worker computed, by (leaf, step), for the newest two steps. */
export class HeldStates {
  readonly #byStep = new Map<number, Map<number, Float32Array>>();

  /** @param step the step at whose end `leaf` has this state */
  store(leaf: number, step: number, state: Float32Array): void {
    let states = this.#byStep.get(step);
    if (states === undefined) {
      states = new Map();
      this.#byStep.set(step, states);
      const outdated = [...this.#byStep.keys()].sort((a, b) => b - a).slice(NUM_STEPS_KEPT);
      for (const old of outdated) this.#byStep.delete(old);
    }
    states.set(leaf, state);
  }

  find(leaf: number, step: number): Float32Array | undefined {
    return this.#byStep.get(step)?.get(leaf);
  }
}

interface ArrivingState {
  readonly values: Float32Array;
  numValues: number;
}

/** States sent for a lease come before it; more transfers than this wait for no lease. */
const MAX_TRANSFERS = 4;

/**
 * States on their way in, by transfer and leaf.
 *
 * @throws WorkerError `protocol`; WireError `checksum`, `frameSize`, `frameTooLarge`, `frameOutOfBounds`
 */
export class ArrivingStates {
  readonly #stateSizes: readonly number[];
  readonly #byTransfer = new Map<number, Map<number, ArrivingState>>();

  /** @param stateSizes values in the carried state of each leaf */
  constructor(stateSizes: readonly number[]) {
    this.#stateSizes = stateSizes;
  }

  receive(frame: TensorFrame): void {
    const size = this.#stateSizes[frame.leaf];
    if (size === undefined) {
      throw new WorkerError(
        "protocol",
        `carried state of leaf ${frame.leaf}, which does not exist`,
      );
    }
    let states = this.#byTransfer.get(frame.transfer);
    if (states === undefined) {
      const [oldest] = this.#byTransfer.keys();
      if (this.#byTransfer.size >= MAX_TRANSFERS && oldest !== undefined) {
        this.#byTransfer.delete(oldest);
      }
      states = new Map();
      this.#byTransfer.set(frame.transfer, states);
    }
    let state = states.get(frame.leaf);
    if (state === undefined) {
      state = { values: new Float32Array(size), numValues: 0 };
      states.set(frame.leaf, state);
    }
    if (frame.firstValue !== state.numValues) {
      throw new WorkerError(
        "protocol",
        `state frame of leaf ${frame.leaf} begins at value ${frame.firstValue}, not ${state.numValues}`,
      );
    }
    checkFrame(frame);
    readFrameInto(frame, state.values);
    state.numValues += frame.payload.byteLength / Float32Array.BYTES_PER_ELEMENT;
  }

  /** Takes the whole states of one transfer out, by leaf; a leaf without values has no frames. */
  take(transfer: number): ReadonlyMap<number, Float32Array> {
    const states = this.#byTransfer.get(transfer) ?? new Map<number, ArrivingState>();
    this.#byTransfer.delete(transfer);
    const whole = new Map<number, Float32Array>();
    for (const [leaf, state] of states) {
      if (state.numValues === state.values.length) whole.set(leaf, state.values);
    }
    return whole;
  }
}

/** The state each leaf of a lease starts from, in the order of its leaves. */
export function initialStates(o: {
  readonly lease: {
    readonly step: number;
    readonly transfer: number;
    readonly leaves: readonly { readonly leaf: number; readonly state: "zero" | "held" | "sent" }[];
  };
  readonly stateSizes: readonly number[];
  readonly held: HeldStates;
  readonly arriving: ArrivingStates;
}): readonly Float32Array[] {
  const { lease } = o;
  const sent = o.arriving.take(lease.transfer);
  return lease.leaves.map(({ leaf, state: source }) => {
    const size = o.stateSizes[leaf];
    if (size === undefined) {
      throw new WorkerError(
        "badLease",
        `leaf ${leaf} does not exist; there are ${o.stateSizes.length}`,
      );
    }
    if (source === "zero" || size === 0) return new Float32Array(size);
    const state = source === "held" ? o.held.find(leaf, lease.step - 1) : sent.get(leaf);
    if (state === undefined) {
      throw new WorkerError(
        "badLease",
        source === "held"
          ? `the state of leaf ${leaf} after step ${lease.step - 1} is not held here`
          : `the state of leaf ${leaf} was not sent in transfer ${lease.transfer}`,
      );
    }
    return state;
  });
}
