import {
  adamUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "@ostinato/kernels";

import { LstmError } from "../lstm-error.js";
import type { Optimizer, OptimizerState, OptimizerUpdate } from "./optimizer.js";
import { requireEpsilon, requireOneOf, requireShares } from "./optimizer-spec.js";
import type { OptimizerSpec } from "./optimizer-spec.js";

/**
 * An optimizer with the semantics of PyTorch's of that name, to the rounding of float32.
 *
 * @throws {LstmError} `invalidOptimizer` naming the key, its value and what is allowed
 */
export function createOptimizer(spec: OptimizerSpec): Optimizer {
  switch (spec.kind) {
    case "sgd":
      return withSlots([], (update) => {
        sgdUpdate(update);
      });
    case "momentum": {
      const { momentum, nesterov } = spec;
      requireShares(spec.kind, { momentum });
      requireOneOf(spec.kind, { nesterov }, [true, false]);
      return withSlots(["momentumBuffer"], (update, slots) => {
        momentumUpdate({ ...update, ...slots, momentum, nesterov });
      });
    }
    case "rmsprop": {
      const { decay, epsilon, momentum, centered } = spec;
      requireShares(spec.kind, { decay, momentum });
      requireEpsilon(spec.kind, epsilon);
      requireOneOf(spec.kind, { centered }, [false]);
      if (momentum === 0) {
        return withSlots(["squareAverage"], (update, slots) => {
          rmspropUpdate({ ...update, ...slots, decay, epsilon });
        });
      }
      return withSlots(["squareAverage", "momentumBuffer"], (update, slots) => {
        rmspropMomentumUpdate({ ...update, ...slots, decay, epsilon, momentum });
      });
    }
    case "adam": {
      const { beta1, beta2, epsilon } = spec;
      requireShares(spec.kind, { beta1, beta2 });
      requireEpsilon(spec.kind, epsilon);
      return withSlots(["firstMoment", "secondMoment"], (update, slots, step) => {
        adamUpdate({ ...update, ...slots, beta1, beta2, epsilon, step });
      });
    }
    default:
      throw new LstmError(
        "invalidOptimizer",
        `there is no optimizer ${JSON.stringify((spec satisfies never as { kind: unknown }).kind)}; ` +
          "there are 'sgd', 'momentum', 'rmsprop' and 'adam'",
      );
  }
}

type Apply<Slot extends string> = (
  update: OptimizerUpdate,
  slots: Readonly<Record<Slot, Float32Array>>,
  step: number,
) => void;

function withSlots<const Slot extends string>(
  names: readonly Slot[],
  apply: Apply<Slot>,
): Optimizer {
  return {
    slots: names,
    initialState: (size) => ({
      stepCount: 0,
      slots: Object.fromEntries(names.map((name) => [name, new Float32Array(size)])),
    }),
    update: (update) => {
      const slots = slotsOf(names, update.state, update.parameters.length);
      apply(update, slots, update.state.stepCount + 1);
      update.state.stepCount += 1;
    },
  };
}

function slotsOf<Slot extends string>(
  names: readonly Slot[],
  state: OptimizerState,
  size: number,
): Readonly<Record<Slot, Float32Array>> {
  const found = Object.keys(state.slots);
  if (found.length !== names.length || !names.every((name) => found.includes(name))) {
    throw new LstmError(
      "invalidOptimizerState",
      `the optimizer's state has the slots ${listed(found)}; it must have ${listed(names)}`,
    );
  }
  for (const [name, { length }] of Object.entries(state.slots)) {
    if (length === size) continue;
    throw new LstmError(
      "invalidOptimizerState",
      `slot ${name} has ${length} values; there are ${size} parameters`,
    );
  }
  return state.slots;
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? "none" : names.join(", ");
