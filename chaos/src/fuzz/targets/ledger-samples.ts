import { compileRunModelSpec } from "@ostinato/run";
import type { LedgerRecord } from "@ostinato/run";

const digest = (digit: string): string => digit.repeat(64);
const leaf = { leaf: 0, samples: 2, weight: 2, loss: 2.5, digest: digest("e") };

export const MODEL = compileRunModelSpec({
  ...{ kind: "languageModel", vocabularySize: 3, embeddingSize: 2, hiddenSize: 2 },
});

/** One of each type, in an order that could be. */
export const LEDGER_RECORDS: readonly LedgerRecord[] = [
  {
    ...{ type: "run", format: 1, job: "job-1", trajectory: digest("a"), data: digest("b") },
    ...{ model: MODEL, parameters: digest("c"), determinism: "strict" },
  },
  { type: "profile", backend: "cpu", version: "1", digest: "f" },
  {
    ...{
      type: "step",
      step: 1,
      epoch: 0,
      epochStep: 0,
      samples: 2,
      lossSum: 2.5,
      lossWeight: 2,
      loss: 1.25,
    },
    ...{
      learningRate: 0.1,
      gradientNorm: 1e-3,
      clipped: false,
      skipped: null,
      parameters: digest("d"),
    },
    nodes: [{ first: 0, count: 1, worker: "worker-1", fence: 4 }],
    ...{ leaves: [leaf], lost: [{ worker: "worker-2", fence: 3, leaves: [0], reason: "expired" }] },
  },
  {
    ...{
      type: "evaluation",
      step: 1,
      split: "validation",
      samples: 2,
      lossSum: null,
      lossWeight: 2,
    },
    ...{
      loss: null,
      best: false,
      parameters: digest("d"),
      leaves: [{ ...leaf, worker: "worker-1" }],
    },
  },
  {
    ...{ type: "resume", checkpointStep: 0, ledgerStep: 1, tornBytes: 3, determinism: "relaxed" },
    skipped: [{ checkpoint: "step-00000001", reason: "damaged" }],
  },
  {
    ...{ type: "end", outcome: "completed", step: 1, stopReason: "earlyStopping" },
    ...{ parametersSha256: digest("1"), best: { step: 1, loss: 1.25 } },
  },
];
