/** Rounds as ledger records. Sums are float64, in leaf order. */

import type { LeafResult } from "@ostinato/proto";
import type { EvaluationRecord, StepRecord } from "@ostinato/run";
import type { ApplyResult, ParameterVersion } from "../steps/index.js";
import type { EvaluationRound } from "./evaluation-round.js";
import type { TrainRound } from "./train-round.js";

function leafEntry(result: LeafResult): StepRecord["leaves"][number] {
  return {
    leaf: result.leaf,
    samples: result.numSamples,
    weight: result.lossWeight,
    loss: result.lossSum,
    digest: Buffer.from(result.sampleDigest).toString("hex"),
  };
}

export interface Totals {
  readonly samples: number;
  readonly lossSum: number;
  readonly lossWeight: number;
  /** Mean loss, in the unit of the model's loss; NaN where no target counts. */
  readonly loss: number;
}

export function totalsOf(
  results: readonly {
    readonly numSamples: number;
    readonly lossSum: number;
    readonly lossWeight: number;
  }[],
): Totals {
  let samples = 0;
  let lossSum = 0;
  let lossWeight = 0;
  for (const result of results) {
    samples += result.numSamples;
    lossSum += result.lossSum;
    lossWeight += result.lossWeight;
  }
  return { samples, lossSum, lossWeight, loss: lossWeight > 0 ? lossSum / lossWeight : NaN };
}

export function toStepRecord(options: {
  readonly round: TrainRound;
  readonly totals: Totals;
  readonly learningRate: number;
  readonly applied: ApplyResult;
  readonly version: ParameterVersion;
}): StepRecord {
  const { round, totals, applied } = options;
  return {
    type: "step",
    step: round.planned.step,
    epoch: round.planned.epoch,
    epochStep: round.planned.epochStep,
    ...totals,
    learningRate: options.learningRate,
    gradientNorm: applied.gradientNorm,
    clipped: applied.clipped,
    skipped: null,
    parameters: options.version.digestHex,
    nodes: round.nodes().map(({ node, workerId, fence }) => ({
      first: node.firstLeaf,
      count: node.numLeaves,
      worker: workerId,
      fence,
    })),
    leaves: round.results().map(leafEntry),
    lost: lostOf(round),
  };
}

/** Which of its leaves were in when it was given up is chance, so none of them is recorded. */
export function toSkippedRecord(options: {
  readonly round: TrainRound;
  readonly learningRate: number;
  readonly version: ParameterVersion;
}): StepRecord {
  const { round, learningRate, version } = options;
  return {
    type: "step",
    step: round.planned.step,
    epoch: round.planned.epoch,
    epochStep: round.planned.epochStep,
    samples: 0,
    lossSum: null,
    lossWeight: 0,
    loss: null,
    learningRate,
    gradientNorm: null,
    clipped: false,
    skipped: "nonFinite",
    parameters: version.digestHex,
    nodes: [],
    leaves: [],
    lost: lostOf(round),
  };
}

const lostOf = (round: TrainRound): StepRecord["lost"] =>
  round.lost.map((lost) => ({ ...lost, leaves: [...lost.leaves] }));

export function toEvaluationRecord(options: {
  readonly round: EvaluationRound;
  readonly totals: Totals;
  readonly best: boolean;
}): EvaluationRecord {
  const { round, totals } = options;
  return {
    type: "evaluation",
    step: round.step,
    split: round.split,
    ...totals,
    best: options.best,
    parameters: round.version.digestHex,
    leaves: round.results().map((result) => ({ ...leafEntry(result), worker: result.workerId })),
  };
}
