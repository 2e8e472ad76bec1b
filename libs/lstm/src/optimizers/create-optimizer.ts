import type { ParameterLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import type { Optimizer, OptimizerState, OptimizerUpdate } from "./optimizer.js";
import type { OptimizerSpec } from "./optimizer-keys.js";
import { parameterRuns } from "./parameter-groups.js";
import { updateRule } from "./update-rule.js";
import { withWeightDecay } from "./weight-decay.js";

/**
 * An optimizer with the semantics of PyTorch's of that name (LAMB's: of its paper), to the rounding of
 * float32, for parameters of a layout.
 *
 * @param spec as `compileOptimizerSpec` returns it
 * @throws {LstmError} `invalidOptimizer` for a group whose pattern matches no tensor
 */
export function createOptimizer(spec: OptimizerSpec, layout: ParameterLayout): Optimizer {
  const rule = updateRule(spec);
  const runs = parameterRuns(spec, layout, rule.isTensorwise);
  const { size } = layout;
  return {
    slots: rule.slots,
    initialState: () => ({
      stepCount: 0,
      slots: Object.fromEntries(
        rule.slots.map((name) => [name, new Float32Array(size).fill(rule.initialValue)]),
      ),
    }),
    checkState: (state) => {
      requireState(rule.slots, state, size);
    },
    update: (update) => {
      const { state, learningRate, gradientScale, averagingStartStep } = update;
      requireSizes(update, size);
      requireState(rule.slots, state, size);
      const step = state.stepCount + 1;
      let firstNonFinite = -1;
      for (const { first, end, learningRateScale, weightDecay } of runs) {
        const part = (values: Float32Array): Float32Array => values.subarray(first, end);
        const slots = Object.entries(state.slots).map(([name, all]) => [name, part(all)] as const);
        const run = {
          parameters: part(update.parameters),
          gradient: part(update.gradient),
          out: part(update.out),
          gradientScale,
          learningRate: learningRate * learningRateScale,
          weightDecay,
          step,
          averagingStartStep,
        };
        const found = rule.apply(withWeightDecay(run, rule.decays), Object.fromEntries(slots));
        if (firstNonFinite < 0 && found >= 0) firstNonFinite = first + found;
      }
      state.stepCount = step;
      return firstNonFinite;
    },
  };
}

/** Before anything is updated: a run that fails would leave those before it updated. */
function requireSizes(update: OptimizerUpdate, size: number): void {
  const { parameters, gradient, out } = update;
  for (const [name, { length }] of Object.entries({ parameters, gradient, out })) {
    if (length === size) continue;
    throw new RangeError(`${name} has ${length} values; the layout has ${size}`);
  }
}

function requireState(names: readonly string[], state: OptimizerState, size: number): void {
  const { stepCount } = state;
  if (!(Number.isSafeInteger(stepCount) && stepCount >= 0)) {
    throw new LstmError(
      "invalidOptimizerState",
      `the optimizer's stepCount is ${stepCount}; it must be a whole number from 0`,
    );
  }
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
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? "none" : names.join(", ");
