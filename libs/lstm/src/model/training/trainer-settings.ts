import { z } from "zod";

import { earlyStoppingSchema } from "../../decisions/index.js";
import {
  compileKeys,
  key,
  MAX_UINT32,
  positive,
  POSITIVE,
  wholeNumber,
  wholeNumbers,
} from "../../keys/index.js";
import { compileOptimizerSpec } from "../../optimizers/index.js";
import type { OptimizerSpec } from "../../optimizers/index.js";
import { compileSchedule } from "../../schedules/index.js";
import type { LearningRateSchedule } from "../../schedules/index.js";
import { UPDATE_KEYS } from "../../update/index.js";

type Raw = Readonly<Record<string, unknown>>;

/** How a trainer trains; every group as in a run config. */
export interface TrainerSettingsInput {
  /** Such as `{ kind: "adam" }`. */
  readonly optimizer: Raw;
  /** The peak, which the schedule takes a share of. */
  readonly learningRate: number;
  /** Constant by default. */
  readonly schedule?: Raw;
  /** To a global norm of 1 by default. */
  readonly clipping?: Raw;
  /** None by default. */
  readonly gradientNoise?: Raw;
  /** Never by default. */
  readonly earlyStopping?: Raw | null;
}

const schema = z.strictObject({
  seed: key(wholeNumbers(0, MAX_UINT32), wholeNumber(0, MAX_UINT32)),
  learningRate: key(POSITIVE, positive()),
  ...UPDATE_KEYS,
  earlyStopping: earlyStoppingSchema,
});

export interface TrainerSettings extends z.output<typeof schema> {
  readonly optimizer: OptimizerSpec;
  readonly schedule: LearningRateSchedule;
}

/** @throws LstmError naming the key, its value and what is allowed */
export function compileTrainerSettings(
  input: TrainerSettingsInput & { readonly seed: number },
): TrainerSettings {
  const { optimizer: rawOptimizer, schedule = {}, ...raw } = input;
  const settings = compileKeys(schema, raw, { code: "invalidOptimizer", group: "trainer" });
  const optimizer = compileOptimizerSpec(rawOptimizer);
  return { ...settings, optimizer, schedule: compileSchedule(schedule) };
}
