import { averagingTriggerOf, createDecisions } from "@ostinato/lstm";
import type { Decisions, DecisionState } from "@ostinato/lstm";

import type { RunConfig } from "../config/index.js";
import type { LedgerRecord } from "../ledger/index.js";

/** What a run decides from the losses of its validation part, as its config says. */
export function decisionsOf(config: RunConfig): Decisions {
  const { schedule } = config.optimizer;
  return createDecisions({
    plateau: schedule.kind === "plateau" ? schedule : null,
    earlyStopping: config.training.earlyStopping,
    averaging: averagingTriggerOf(config.optimizer),
  });
}

/** What was decided after all of these records: from the evaluations of the validation part alone. */
export function replayDecisions(
  decisions: Decisions,
  records: readonly LedgerRecord[],
): DecisionState {
  let state = decisions.initialState();
  let numUpdates = 0;
  for (const record of records) {
    if (record.type === "step" && record.skipped === null) numUpdates += 1;
    if (record.type !== "evaluation" || record.split !== "validation") continue;
    ({ state } = decisions.afterEvaluation(state, { ...lossOf(record), numUpdates }));
  }
  return state;
}

/** The loss of an evaluation's record; JSON has no NaN. */
export function lossOf({ step, loss }: { readonly step: number; readonly loss: number | null }): {
  readonly step: number;
  readonly loss: number;
} {
  return { step, loss: loss ?? NaN };
}
