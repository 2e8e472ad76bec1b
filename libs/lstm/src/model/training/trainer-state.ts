import { firstNonFinite } from "@ostinato/kernels";
import { z } from "zod";

import { decisionStateSchema } from "../../decisions/index.js";
import type { DecisionState } from "../../decisions/index.js";
import { compileKeys, key, MAX_UINT32, wholeNumber, wholeNumbers } from "../../keys/index.js";
import type { ParameterLayout } from "../../layout/index.js";
import { LstmError } from "../../lstm-error.js";
import type { OptimizerState } from "../../optimizers/index.js";
import type { StatisticsLayout } from "../../statistics/index.js";
import type { ParameterUpdater } from "../../update/index.js";

/** Everything that the next step depends on. */
export interface TrainerState {
  readonly step: number;
  readonly parameters: Float32Array;
  readonly optimizer: OptimizerState;
  /** Of batch normalization. */
  readonly statistics: Float64Array;
  readonly decisions: DecisionState;
}

/** What a state has to fit. */
export interface StateOwner {
  readonly layout: ParameterLayout;
  readonly statistics: StatisticsLayout;
  readonly update: ParameterUpdater;
}

/** What may come out of a JSON text that somebody wrote. */
const plainSchema = z.strictObject({
  step: key(wholeNumbers(0, MAX_UINT32), wholeNumber(0, MAX_UINT32)),
  decisions: decisionStateSchema,
});

/**
 * A copy of a state that fits a trainer.
 *
 * @throws LstmError `invalidParameters`, `invalidStatistics`, `invalidOptimizerState` or
 *   `invalidTrainerState`, naming what does not fit, its value and what would
 */
export function checkedState(state: TrainerState, owner: StateOwner): TrainerState {
  const { step, parameters, statistics, optimizer, decisions } = state;
  const plain = compileKeys(
    plainSchema,
    { step, decisions },
    { code: "invalidTrainerState", group: "state" },
  );
  requireParameters(parameters, owner.layout);
  if (statistics.length !== owner.statistics.size) {
    throw new LstmError(
      "invalidStatistics",
      `running statistics have ${statistics.length} values, the model has ${owner.statistics.size}`,
    );
  }
  owner.update.checkState(optimizer);
  return copyOf({ ...plain, parameters, statistics, optimizer });
}

/** @throws LstmError `invalidParameters` for another number of them, or naming the first that is not finite */
export function requireParameters(parameters: Float32Array, layout: ParameterLayout): void {
  if (parameters.length !== layout.size) {
    throw new LstmError(
      "invalidParameters",
      `parameters have ${parameters.length} values, the model has ${layout.size}`,
    );
  }
  const bad = firstNonFinite(parameters);
  if (bad === -1) return;
  const { name, offset } = layout.tensors.find(({ offset, size }) => bad < offset + size)!;
  throw new LstmError(
    "invalidParameters",
    `parameters: value ${bad - offset} of ${name} is ${parameters[bad]}; it must be a finite number`,
  );
}

export function copyOf(state: TrainerState): TrainerState {
  const { stepCount, slots } = state.optimizer;
  const copies = Object.entries(slots).map(([name, values]) => [name, values.slice()] as const);
  return {
    ...state,
    parameters: state.parameters.slice(),
    optimizer: { stepCount, slots: Object.fromEntries(copies) },
    statistics: state.statistics.slice(),
  };
}
