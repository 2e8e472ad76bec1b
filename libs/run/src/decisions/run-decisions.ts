import { createDecisions } from "@ostinato/lstm";
import type { Decisions, DecisionState } from "@ostinato/lstm";

import type { RunConfig } from "../config/index.js";
import type { LedgerRecord } from "../ledger/index.js";

/** What a run decides from the losses of its validation part, as its config says. */
export function decisionsOf(config: RunConfig): Decisions {
  const { schedule } = config.optimizer;
  return createDecisions({
    plateau: schedule.kind === "plateau" ? schedule : null,
    earlyStopping: config.training.earlyStopping,
    // No optimizer of a config averages yet.
    averaging: null,
  });
}

/** What was decided after all of these records: from the evaluations of the validation part alone. */
export function replayDecisions(
  decisions: Decisions,
  records: readonly LedgerRecord[],
): DecisionState {
  return records.reduce(
    (state, record) =>
      record.type === "evaluation" && record.split === "validation"
        ? decisions.afterEvaluation(state, lossOf(record)).state
        : state,
    decisions.initialState(),
  );
}

/** The loss of an evaluation's record; JSON has no NaN. */
export function lossOf({ step, loss }: { readonly step: number; readonly loss: number | null }): {
  readonly step: number;
  readonly loss: number;
} {
  return { step, loss: loss ?? NaN };
}
