/** The ledger's story: each step once and in order, each evaluation at its place, each resume in turn. */

import type { Dataset, SplitName } from "@ostinato/data";
import { DataError } from "@ostinato/data";
import { averagingStart, firstAveragedUpdate, learningRateAt } from "@ostinato/lstm";
import type { Decisions, DecisionState, StopReason } from "@ostinato/lstm";

import { roundedLeaves } from "../config/index.js";
import type { RunConfig } from "../config/index.js";
import { layOut, layoutSettings, modelOfData } from "../data/index.js";
import type { DataLayout } from "../data/index.js";
import { decisionsOf, lossOf } from "../decisions/index.js";
import { RunError } from "../errors/index.js";
import type { LedgerEntry, LinePosition, RunRecord } from "../ledger/index.js";
import { checkLeaves, checkNodes, checkSkipped, checkSums } from "./leaf-checks.js";
import type { Problems } from "./problems.js";
import { SplitSamples } from "./run-data.js";
import type { ExpectedSamples } from "./run-data.js";

type EntryOf<T extends LedgerEntry["type"]> = Extract<LedgerEntry, { type: T }>;

export interface VerifySummary {
  /** Committed steps. */
  steps: number;
  /** Steps whose gradient was not finite and left the parameters as they were. */
  skippedSteps: number;
  /** Samples of those steps, which are in no gradient; 0 if the data could not be read. */
  skippedSamples: number;
  /** Epochs of which every step is committed; 0 if the data could not be read. */
  epochs: number;
  /** Samples whose gradient is in the parameters. */
  samples: number;
  evaluations: number;
  resumes: number;
  /** Whether the run came to its end. */
  ended: boolean;
  /** Why it did before its epochs or its `maxSteps` were over; null if it did not. */
  stopReason: StopReason | null;
  /** Who computed something that was committed, sorted. */
  workers: readonly string[];
}

/** Follows a ledger from its first record to its last and tells what does not fit. */
export class History {
  readonly #config: RunConfig;
  readonly #layout: DataLayout | undefined;
  readonly #problems: Problems;
  readonly #train: SplitSamples | undefined;
  readonly #decisions: Decisions;
  readonly #evaluated = new Map<SplitName, readonly ExpectedSamples[] | undefined>();
  readonly #workers = new Set<string>();
  readonly #seen = new Set<string>();

  #incarnation = 1;
  #determinism: RunRecord["determinism"] = "strict";
  #profile: string | undefined;
  #lastStep = 0;
  #decided: DecisionState;
  /** Step → digest of the parameters after it. */
  readonly #parameters = new Map<number, string>();
  /** Step → digest of what was evaluated after it. */
  readonly #evaluatedAt = new Map<number, string>();
  #end: EntryOf<"end"> | undefined;
  #skippedSteps = 0;
  #skippedSamples = 0;
  #samples = 0;
  #evaluations = 0;
  #resumes = 0;

  constructor(config: RunConfig, dataset: Dataset | undefined, problems: Problems) {
    this.#config = config;
    this.#problems = problems;
    this.#decisions = decisionsOf(config);
    this.#decided = this.#decisions.initialState();
    this.#layout =
      dataset &&
      this.#attempt("train", () =>
        layOut(dataset, modelOfData(config, dataset), layoutSettings(config)),
      );
    this.#train = this.#layout && new SplitSamples(this.#layout.train);
  }

  follow(entry: LedgerEntry): void {
    const place = placeOf(entry);
    if ((entry.seq === 1) !== (entry.type === "run")) {
      this.#problems.add(place, "a ledger begins with its one run record");
    }
    this.#followIncarnation(entry, place);
    if (this.#end !== undefined && entry.type !== "resume" && entry.type !== "profile") {
      this.#problems.add(place, `follows the end of the run in line ${this.#end.seq}`);
    }
    switch (entry.type) {
      case "run":
        this.#parameters.set(0, entry.parameters);
        this.#determinism = entry.determinism;
        break;
      case "profile":
        this.#followProfile(entry, place);
        break;
      case "step":
        this.#followStep(entry, place);
        break;
      case "evaluation":
        this.#followEvaluation(entry, place);
        break;
      case "resume":
        this.#followResume(entry, place);
        break;
      case "end":
        this.#followEnd(entry, place);
        break;
      default:
        entry satisfies never;
    }
  }

  summary(): VerifySummary {
    const stepsPerEpoch = this.#train?.layout.stepsPerEpoch ?? Infinity;
    return {
      steps: this.#lastStep,
      skippedSteps: this.#skippedSteps,
      skippedSamples: this.#skippedSamples,
      epochs: Math.floor(this.#lastStep / stepsPerEpoch),
      samples: this.#samples,
      evaluations: this.#evaluations,
      resumes: this.#resumes,
      ended: this.#end !== undefined,
      stopReason: this.#end?.stopReason ?? null,
      workers: [...this.#workers].sort(),
    };
  }

  #followIncarnation(entry: LedgerEntry, place: string): void {
    const { incarnation, type } = entry;
    if (type === "resume" && incarnation <= this.#incarnation) {
      const text = `incarnation is ${incarnation}, not above ${this.#incarnation}`;
      this.#problems.add(place, text);
    } else if (type !== "resume" && type !== "run") {
      this.#problems.compare(place, "incarnation", incarnation, this.#incarnation);
    }
    this.#incarnation = incarnation;
  }

  #followProfile({ backend, version, digest }: EntryOf<"profile">, place: string): void {
    const profile = `${backend} ${version} ${digest}`;
    const isOther = this.#profile !== undefined && profile !== this.#profile;
    if (isOther && this.#determinism === "strict") {
      this.#problems.add(
        place,
        `another numerics profile (${profile}) than before (${String(this.#profile)}); ` +
          "numerics.determinism is strict",
      );
    }
    this.#profile = profile;
  }

  #followStep(entry: EntryOf<"step">, place: string): void {
    const { step } = entry;
    if (step <= this.#lastStep) {
      this.#problems.add(place, `comes again after step ${this.#lastStep}`);
    } else if (step > this.#lastStep + 1) {
      this.#problems.add(place, `the steps ${this.#lastStep + 1} to ${step - 1} are missing`);
    }
    if (this.#profile === undefined) {
      this.#problems.add(place, "comes before the numerics profile");
    }
    this.#requireEvaluation(place);
    const { stop } = this.#decided;
    if (stop !== null) {
      this.#problems.add(place, `comes after training was to end at step ${stop.step}`);
    }
    const learningRate = this.#learningRateAt(entry);
    this.#problems.compare(place, "learningRate", entry.learningRate, learningRate);
    const expected = this.#expectedAt(entry, place);
    if (entry.skipped === null) this.#followTrained(entry, expected, place);
    else this.#followSkipped(entry, expected, place);
    this.#lastStep = Math.max(this.#lastStep, step);
    this.#parameters.set(step, entry.parameters);
  }

  #learningRateAt({ step, epoch }: EntryOf<"step">): number {
    const { schedule, learningRate } = this.#config.optimizer;
    const scheduled = learningRateAt(schedule, { step: step - 1, epoch, learningRate });
    return scheduled * this.#decided.learningRateFactor;
  }

  /** The validation part is evaluated after the last step, where that is due, before anything follows. */
  #requireEvaluation(place: string): void {
    const step = this.#lastStep;
    const { everySteps } = this.#config.evaluation;
    const isDue =
      step > 0 && (step === this.#totalSteps() || (everySteps !== null && step % everySteps === 0));
    if (!isDue || this.#seen.has(`validation ${step}`)) return;
    this.#problems.add(place, `there is no evaluation of validation after step ${step}`);
  }

  /** Undefined if the data could not be read. */
  #totalSteps(): number | undefined {
    if (this.#train === undefined) return undefined;
    const { epochs, maxSteps } = this.#config.training;
    return Math.min(epochs * this.#train.layout.stepsPerEpoch, maxSteps ?? Infinity);
  }

  #followTrained(
    entry: EntryOf<"step">,
    expected: readonly ExpectedSamples[] | undefined,
    place: string,
  ): void {
    const { microShards } = this.#config.training;
    const workerOf = (leaf: number): string =>
      entry.nodes.find(({ first, count }) => leaf >= first && leaf < first + count)?.worker ??
      "nobody";
    checkNodes(entry.nodes, {
      ...{ place, roundedLeaves: roundedLeaves(this.#config) },
      numLeaves: microShards,
      problems: this.#problems,
    });
    checkLeaves(entry.leaves, {
      ...{ place, expected, workerOf },
      numLeaves: microShards,
      problems: this.#problems,
    });
    checkSums(entry, entry.leaves, place, this.#problems);
    for (const { worker } of entry.nodes) this.#workers.add(worker);
    this.#samples += entry.samples;
  }

  #followSkipped(
    entry: EntryOf<"step">,
    expected: readonly ExpectedSamples[] | undefined,
    place: string,
  ): void {
    checkSkipped(entry, place, this.#problems);
    this.#problems.compare(
      place,
      "the parameters' digest after a skipped step",
      entry.parameters,
      this.#parameters.get(entry.step - 1),
    );
    this.#skippedSteps += 1;
    for (const { numSamples } of expected ?? []) this.#skippedSamples += numSamples;
  }

  /** What the layout says of a step, whose place in the epochs follows from its number. */
  #expectedAt(entry: EntryOf<"step">, place: string): readonly ExpectedSamples[] | undefined {
    if (this.#train === undefined) return undefined;
    const { stepsPerEpoch } = this.#train.layout;
    const epochStep = (entry.step - 1) % stepsPerEpoch;
    const epoch = Math.floor((entry.step - 1) / stepsPerEpoch);
    this.#problems.compare(place, "epoch", entry.epoch, epoch);
    this.#problems.compare(place, "epochStep", entry.epochStep, epochStep);
    return this.#train.leavesAt({ epoch, epochStep });
  }

  #followEvaluation(entry: EntryOf<"evaluation">, place: string): void {
    const key = `${entry.split} ${entry.step}`;
    if (this.#seen.has(key)) this.#problems.add(place, "comes a second time");
    this.#seen.add(key);
    // The test part is evaluated at the end, with the parameters that the validation part chose.
    if (entry.split !== "test" || entry.step > this.#lastStep) {
      this.#problems.compare(place, "the step before it", this.#lastStep, entry.step);
    }
    const evaluated = this.#evaluatedDigest(entry);
    this.#problems.compare(place, "the parameters' digest", entry.parameters, evaluated);
    this.#evaluatedAt.set(entry.step, entry.parameters);
    const workers = new Map(entry.leaves.map(({ leaf, worker }) => [leaf, worker]));
    checkLeaves(entry.leaves, {
      place,
      numLeaves: this.#config.training.microShards,
      expected: this.#expectedOf(entry.split),
      workerOf: (leaf) => workers.get(leaf) ?? "nobody",
      problems: this.#problems,
    });
    checkSums(entry, entry.leaves, place, this.#problems);
    for (const { worker } of entry.leaves) this.#workers.add(worker);
    this.#problems.compare(place, "best", entry.best, this.#decide(entry));
    this.#evaluations += 1;
  }

  /**
   * Digest of what is evaluated after a step, as far as the ledger says it; undefined for one that it
   * does not have.
   */
  #evaluatedDigest(entry: EntryOf<"evaluation">): string | undefined {
    const { step, parameters } = entry;
    const before = this.#evaluatedAt.get(step);
    if (before !== undefined) return before;
    const started = averagingStart(this.#decided);
    const first = firstAveragedUpdate(this.#config.optimizer, started) ?? Infinity;
    // An average of more than one is no step's parameters; checkpoints are compared with it.
    const isAverage = this.#parameters.has(step) && this.#numUpdates > first;
    return isAverage ? parameters : this.#parameters.get(step);
  }

  /** So far: a step that was skipped made none. */
  get #numUpdates(): number {
    return this.#lastStep - this.#skippedSteps;
  }

  /** Whether an evaluation is the best so far; what is chosen is chosen by the validation part alone. */
  #decide(entry: EntryOf<"evaluation">): boolean {
    if (entry.split !== "validation") return false;
    const { state, isBest } = this.#decisions.afterEvaluation(this.#decided, {
      ...lossOf(entry),
      numUpdates: this.#numUpdates,
    });
    this.#decided = state;
    return isBest;
  }

  /** What each leaf of an evaluation amounts to: all segments of its rows, one after the other. */
  #expectedOf(split: SplitName): readonly ExpectedSamples[] | undefined {
    const layout = this.#layout;
    if (layout === undefined) return undefined;
    if (!this.#evaluated.has(split)) {
      const evaluated = this.#attempt(split, () => layout.evaluation(split));
      this.#evaluated.set(split, evaluated && new SplitSamples(evaluated).leavesOverall());
    }
    return this.#evaluated.get(split);
  }

  #attempt<Layout>(split: SplitName, layOutSplit: () => Layout): Layout | undefined {
    try {
      return layOutSplit();
    } catch (error) {
      if (!(error instanceof DataError || error instanceof RunError)) throw error;
      this.#problems.add("data", `the ${split} part cannot be laid out: ${error.message}`);
      return undefined;
    }
  }

  #followResume(entry: EntryOf<"resume">, place: string): void {
    this.#resumes += 1;
    this.#determinism = entry.determinism;
    this.#problems.compare(place, "ledgerStep", entry.ledgerStep, this.#lastStep);
    if (entry.checkpointStep > this.#lastStep) {
      this.#problems.add(
        place,
        `resumes from a checkpoint of step ${entry.checkpointStep}, which the ledger does not have`,
      );
    }
  }

  #followEnd(entry: EntryOf<"end">, place: string): void {
    this.#end = entry;
    this.#problems.compare(place, "the last step", entry.step, this.#lastStep);
    const { best, stopReason } = entry;
    const { stop, best: decided } = this.#decided;
    this.#problems.compare(place, "the best step", best?.step, decided?.step);
    this.#problems.compare(place, "the best loss", best?.loss, decided?.loss);
    this.#problems.compare(place, "stopReason", stopReason, stop?.reason ?? null);
    this.#requireEvaluation(place);
    const isTested = [...this.#seen].some((key) => key.startsWith("test "));
    if (this.#config.evaluation.final && !isTested) {
      this.#problems.add(place, "there is no evaluation of test");
    }
    const totalSteps = stop?.step ?? this.#totalSteps();
    if (totalSteps !== undefined) this.#problems.compare(place, "step", entry.step, totalSteps);
  }
}

function placeOf(entry: LedgerEntry): string {
  const line = `ledger.jsonl:${entry.seq}`;
  if (entry.type === "step") return `${line}: step ${entry.step}`;
  if (entry.type === "evaluation") return `${line}: evaluation of ${entry.split} at ${entry.step}`;
  return `${line}: ${entry.type}`;
}

/** The run record, if the ledger begins with one. */
export function runRecordOf(
  records: readonly LedgerEntry[],
): (RunRecord & LinePosition) | undefined {
  const [first] = records;
  return first?.type === "run" ? first : undefined;
}
