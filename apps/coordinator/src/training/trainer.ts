/** The run, from its first step to its last: step → ledger → evaluation → checkpoint → end. */

import { keepsAverage } from "@ostinato/lstm";
import type { DecisionState, OptimizerState, StopReason } from "@ostinato/lstm";
import type { MetricsFile, RunConfig } from "@ostinato/run";
import type { Clock, Logger } from "@ostinato/runtime";
import type { CheckpointKeeper } from "../checkpoints/index.js";
import { CoordinatorError } from "../errors/index.js";
import type { LedgerPosition, RunLedger } from "../ledger/index.js";
import type { Metrics } from "../ops/index.js";
import type {
  ApplyProblem,
  ApplyResult,
  Arithmetic,
  BufferPool,
  ParameterVersion,
  Versions,
} from "../steps/index.js";
import { GradientTree } from "../steps/index.js";
import type { CarriedStates } from "./carried-states.js";
import type { Dispatcher } from "./dispatcher.js";
import { EvaluationRound } from "./evaluation-round.js";
import type { EventHub } from "./event-hub.js";
import { OwnWork } from "./own-work.js";
import type { OngoingWork, OwnWorkStage } from "./own-work.js";
import type { PlannedStep, TrainingPlan } from "./plan.js";
import { Publisher } from "./publisher.js";
import type { Totals } from "./records.js";
import { toEvaluationRecord, toSkippedRecord, toStepRecord, totalsOf } from "./records.js";
import { RunDecisions } from "./run-decisions.js";
import { leavesOf, TrainRound } from "./train-round.js";

export interface TrainerOptions {
  readonly config: RunConfig;
  readonly plan: TrainingPlan;
  /** Sum of the loss weights of a step's samples, as the data have it. */
  readonly lossWeightAt: (planned: PlannedStep) => number;
  /** Names the samples of leaves, for a message about bad data. */
  readonly describeSamples: (planned: PlannedStep, leaves: readonly number[]) => string;
}

export interface TrainerModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly dispatcher: Dispatcher;
  readonly arithmetic: Arithmetic;
  readonly parameters: BufferPool;
  readonly versions: Versions;
  readonly gradients: BufferPool;
  readonly states: CarriedStates;
  readonly ledger: RunLedger;
  readonly keeper: CheckpointKeeper;
  readonly events: EventHub;
  readonly metricsFile: Pick<MetricsFile, "append">;
}

export interface TrainerStart {
  readonly version: ParameterVersion;
  /** The updates made before: fewer than the steps where some were skipped. */
  readonly numUpdates: number;
  /** What was decided before; undefined for a new run. */
  readonly decided: DecisionState | undefined;
  readonly position: LedgerPosition;
}

export interface TrainingResult {
  readonly outcome: "completed" | "stopped";
  readonly step: number;
  readonly parametersSha256: string;
  /** Why a completed run ended before its epochs or its `maxSteps` were over; null: it did not. */
  readonly stopReason: StopReason | null;
}

/** What the run is at, for `Status`. */
export type TrainerState = "waiting" | "training" | "evaluating" | "finishing" | "ended";

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #modules: TrainerModules;
  readonly #publisher: Publisher;
  readonly #decisions: RunDecisions;
  readonly #ownWork: OwnWork;
  #version: ParameterVersion;
  #numUpdates: number;
  #position: LedgerPosition;
  #state: TrainerState = "waiting";
  #loss = 0;

  constructor(options: TrainerOptions, modules: TrainerModules, start: TrainerStart) {
    this.#options = options;
    this.#modules = modules;
    this.#version = start.version;
    this.#numUpdates = start.numUpdates;
    const { config, plan } = options;
    const notify = (text: string): void => {
      modules.logger.info(text);
      modules.events.emit({ kind: "notice", level: "info", text });
    };
    this.#decisions = new RunDecisions({ config, plan, notify }, start.decided);
    this.#position = start.position;
    this.#ownWork = new OwnWork(modules.clock);
    const { clock, logger, metrics, events, metricsFile, dispatcher } = modules;
    const numWorkers = (): number => dispatcher.numWorkers;
    this.#publisher = new Publisher({ clock, logger, metrics, events, metricsFile, numWorkers });
  }

  /** The newest committed step. */
  get step(): number {
    return this.#version.step;
  }

  get state(): TrainerState {
    return this.#state;
  }

  get loss(): number {
    return this.#loss;
  }

  /** What the coordinator itself is at; undefined while it collects. */
  get ownWork(): OngoingWork | undefined {
    return this.#ownWork.current;
  }

  /** NaN before there are two steps. */
  get samplesPerSecond(): number {
    return this.#publisher.pace.samplesPerSecond;
  }

  get secondsLeft(): number {
    return this.#publisher.pace.secondsLeft(this.#options.plan.totalSteps - this.step);
  }

  /**
   * Trains to the end of the plan, or to an earlier one that the evaluations decide on, or until the
   * signal, which ends it with a checkpoint.
   *
   * @throws {CoordinatorError} `nonFinite`, `leafFailed`, `replayMismatch`
   */
  async run(signal: AbortSignal): Promise<TrainingResult> {
    try {
      if (this.step === 0) await this.#checkpoint({});
      // After a resume in mid-evaluation: its checkpoint was written before it was known to be the best.
      if (await this.#evaluateIfDue(signal)) await this.#checkpoint({ isBest: true });
      while (!this.#isOver()) {
        this.#state = "training";
        await this.#trainStep(signal);
        const isBest = await this.#evaluateIfDue(signal);
        const isDue = this.step % this.#options.config.checkpoints.everySteps === 0;
        if (isDue || isBest || this.#isOver()) await this.#checkpoint({ isBest });
      }
      this.#state = "finishing";
      await this.#settleCheckpoints("the end of the run");
      return await this.#finish(signal);
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.code !== "stopped") {
        // What is being written is worth having; the error that ends the run is the one to tell.
        await this.#modules.keeper.settled().catch(() => undefined);
        throw error;
      }
      await this.#checkpoint({});
      await this.#settleCheckpoints("the stop of the run");
      return await this.#result("stopped");
    } finally {
      this.#state = "ended";
    }
  }

  /** Whether there is no further step. */
  #isOver(): boolean {
    return this.step >= this.#options.plan.totalSteps || this.#decisions.state.stop !== null;
  }

  async #trainStep(signal: AbortSignal): Promise<void> {
    const { clock, dispatcher, arithmetic, gradients, metrics, states } = this.#modules;
    const planned = this.#options.plan.at(this.step + 1);
    if (planned.epochStep === 0) states.clear();
    const tree = new GradientTree(this.#options.config.training.microShards, {
      add: (into, other) => arithmetic.add(into, other),
      release: (buffer) => {
        gradients.release(buffer);
      },
    });
    const round = new TrainRound({
      planned,
      version: this.#version,
      numLeaves: this.#options.config.training.microShards,
      firstFence: dispatcher.nextFence,
      tree,
    });
    const startMs = clock.now();
    try {
      const outcome = await dispatcher.collect(round, signal);
      const collectedMs = clock.now();
      // Training takes the time in which somebody is here to train.
      const beganMs = startMs + outcome.waitedMs;
      metrics.phaseSeconds.observe({ phase: "collect" }, (collectedMs - beganMs) / 1000);
      if (outcome.kind === "nonFinite") {
        const leaves = leavesOf(outcome.node);
        const detail = `${outcome.detail}, the same on every try`;
        await this.#skipOrStop(round, leaves, detail);
        return;
      }
      const totals = totalsOf(round.results());
      const applied = await this.#apply(round, totals);
      if (applied === undefined) return;
      metrics.phaseSeconds.observe({ phase: "reduce" }, (clock.now() - collectedMs) / 1000);
      this.#commitStep(round, totals, applied, outcome.holders);
      metrics.stepSeconds.observe((clock.now() - beganMs) / 1000);
    } finally {
      await tree.discard();
    }
  }

  async #apply(
    round: TrainRound,
    totals: Totals,
  ): Promise<{ readonly result: ApplyResult; readonly version: ParameterVersion } | undefined> {
    const { arithmetic, gradients, parameters, versions } = this.#modules;
    const lossWeight = this.#options.lossWeightAt(round.planned);
    // A step none of whose targets counts is one; that it is no such step must not be left to a worker.
    if (totals.lossWeight === 0 && lossWeight > 0) {
      throw new CoordinatorError(
        "leafFailed",
        `step ${round.step}: the loss weights that the workers sent sum to 0, not ${lossWeight}`,
      );
    }
    const gradient = await this.#compute(round, "gradients are being added", round.tree.takeRoot());
    const out = parameters.acquire();
    const { parameters: before, statistics } = this.#version;
    try {
      const applied = arithmetic.apply({
        ...{ parameters: before, statistics, moments: round.moments() },
        gradient,
        out,
        lossWeight: totals.lossWeight,
        learningRate: this.#decisions.learningRate(round.planned.step),
        step: round.planned.step,
        averagingStartStep: this.#decisions.averagingStartUpdate,
      });
      const result = await this.#compute(round, "the update is being applied", applied);
      if (result.problem === undefined) {
        const { step } = round.planned;
        const values = { parameters: out, statistics: result.statistics };
        return { result, version: versions.take(step, values, result.version) };
      }
      parameters.release(out);
      const all = leavesOf({ firstLeaf: 0, numLeaves: this.#options.config.training.microShards });
      await this.#skipOrStop(round, all, result.problem.detail, result.problem.kind);
      return undefined;
    } finally {
      gradients.release(gradient);
    }
  }

  /** Parameters in memory → ledger line → (with the next lease) broadcast. */
  #commitStep(
    round: TrainRound,
    totals: Totals,
    applied: { readonly result: ApplyResult; readonly version: ParameterVersion },
    holders: ReadonlyMap<number, ReadonlySet<string>>,
  ): void {
    const { clock, metrics, states } = this.#modules;
    const startMs = clock.now();
    const learningRate = this.#decisions.learningRate(round.planned.step);
    const { result, version } = applied;
    this.#advance(version);
    this.#numUpdates += 1;
    states.replace(round.states(), holders);
    const record = toStepRecord({ round, totals, learningRate, applied: result, version });
    const replayed = this.#commitRecord(record);
    metrics.phaseSeconds.observe({ phase: "commit" }, (clock.now() - startMs) / 1000);
    this.#loss = totals.loss;
    this.#publisher.step(record, this.#options.plan.totalSteps, replayed);
  }

  /** The run itself produces values that are not finite here: stop, or leave the step out. */
  async #skipOrStop(
    round: TrainRound,
    leaves: readonly number[],
    detail: string,
    problem?: ApplyProblem["kind"],
  ): Promise<void> {
    const { planned } = round;
    const where =
      `step ${planned.step}: the result of leaves ${leaves.join(", ")} is not finite (${detail}); ` +
      this.#options.describeSamples(planned, leaves);
    // After an update the optimizer has moved on: that step can't be left out.
    if (this.#options.config.training.onNonFinite === "stop" || problem === "update") {
      throw new CoordinatorError(
        "nonFinite",
        `${where}. The newest checkpoint is kept; lower the learning rate` +
          (problem === "update" ? "" : " or set training.onNonFinite: skipStep"),
      );
    }
    const { states, events, versions } = this.#modules;
    const version = await versions.copy(planned.step, this.#version);
    this.#advance(version);
    states.forgetHolders();
    const learningRate = this.#decisions.learningRate(planned.step);
    const record = toSkippedRecord({ round, learningRate, version });
    const replayed = this.#commitRecord(record);
    events.emit({ kind: "notice", level: "warn", text: `${where}; the step is skipped` });
    this.#publisher.step(record, this.#options.plan.totalSteps, replayed);
  }

  #advance(version: ParameterVersion): void {
    this.#version.letGo();
    this.#version = version;
  }

  #commitRecord(record: Parameters<RunLedger["commit"]>[0]): boolean {
    const { position, replayed } = this.#modules.ledger.commit(record);
    this.#position = position;
    return replayed;
  }

  /** Evaluates the validation part where the plan says so; true where it is the best so far. */
  async #evaluateIfDue(signal: AbortSignal): Promise<boolean> {
    const { evaluatedStep } = this.#decisions.state;
    const isDue = evaluatedStep < this.step && this.#options.plan.isEvaluationDue(this.step);
    if (!isDue) return false;
    const version = await this.#evaluated();
    try {
      return await this.#evaluate("validation", version, signal);
    } finally {
      version.letGo();
    }
  }

  /** What is evaluated after the newest step; the caller lets it go. */
  async #evaluated(): Promise<ParameterVersion> {
    const isAveraged = keepsAverage(this.#options.config.optimizer);
    return isAveraged ? this.#modules.versions.averageOf(this.#version) : this.#version.hold();
  }

  /** True where it is the best so far. */
  async #evaluate(
    split: "validation" | "test",
    version: ParameterVersion,
    signal: AbortSignal,
  ): Promise<boolean> {
    this.#state = "evaluating";
    const { clock, dispatcher, metrics } = this.#modules;
    const round = new EvaluationRound({
      split,
      step: version.step,
      version,
      numLeaves: this.#options.config.training.microShards,
      firstFence: dispatcher.nextFence,
    });
    const startMs = clock.now();
    const { waitedMs } = await dispatcher.collect(round, signal);
    metrics.evaluationSeconds.observe((clock.now() - startMs - waitedMs) / 1000);
    const totals = totalsOf(round.results());
    const { loss } = totals;
    if (!Number.isFinite(loss)) this.#lossNotFinite(round);
    // What is chosen is chosen by the validation part alone.
    const decided =
      split === "validation"
        ? this.#decisions.after({ step: round.step, numUpdates: this.#numUpdates, loss })
        : undefined;
    const record = toEvaluationRecord({ round, totals, best: decided?.isBest ?? false });
    this.#publisher.evaluation(record, this.#commitRecord(record));
    if (decided !== undefined) this.#decisions.follow(decided);
    return record.best;
  }

  #lossNotFinite(round: EvaluationRound): void {
    const bad = round.results().filter(({ lossSum }) => !Number.isFinite(lossSum));
    const text =
      `the ${round.split} loss at step ${round.step} is not finite, in leaves ` +
      `${bad.map(({ leaf }) => leaf).join(", ")}, the same on every try`;
    if (this.#options.config.training.onNonFinite === "stop") {
      throw new CoordinatorError(
        "nonFinite",
        `${text}. The newest checkpoint is kept; lower the learning rate or set ` +
          "training.onNonFinite: skipStep",
      );
    }
    this.#modules.events.emit({ kind: "notice", level: "warn", text });
  }

  /** Takes a consistent picture now and writes it beside training. */
  async #checkpoint(options: { readonly isBest?: boolean }): Promise<void> {
    const { arithmetic, keeper, states } = this.#modules;
    const version = this.#version.hold();
    const isEpochEnd =
      this.step < this.#options.plan.totalSteps &&
      this.#options.plan.at(this.step + 1).epochStep === 0;
    const request = {
      step: this.step,
      parameters: version.parameters,
      statistics: version.statistics,
      states: isEpochEnd ? new Map<number, Float32Array>() : states.all(),
      progress: this.#decisions.state,
      position: this.#position,
      isBest: options.isBest ?? false,
    };
    // Posted before the next step's `apply`, so it sees the optimizer as of this step.
    const optimizer: OptimizerState = await this.#ownWork.during(
      {
        subject: `the checkpoint of step ${this.step}`,
        what: "the optimizer's state is being copied",
        kind: "arithmetic",
      },
      arithmetic.snapshot(),
    );
    keeper.save({ ...request, optimizer }, () => {
      version.letGo();
      arithmetic.release(optimizer);
    });
  }

  /** The test part, once, with the parameters that the validation part chose; then the end. */
  async #finish(signal: AbortSignal): Promise<TrainingResult> {
    const { keeper, ledger, versions } = this.#modules;
    const { best } = this.#decisions.state;
    const subject = "the end of the run";
    if (this.#options.config.evaluation.final) {
      const isNewest = best === null || best.step === this.step;
      const version = isNewest
        ? await this.#evaluated()
        : await versions.copy(best.step, await this.#load(best.step));
      try {
        await this.#evaluate("test", version, signal);
      } finally {
        version.letGo();
      }
    }
    this.#state = "finishing";
    const result = await this.#result("completed");
    this.#commitRecord({
      type: "end",
      outcome: "completed",
      step: this.step,
      stopReason: result.stopReason,
      parametersSha256: result.parametersSha256,
      best,
    });
    await this.#store(subject, "the ledger is being written", ledger.sync());
    const end = { ...result, outcome: "completed", position: this.#position } as const;
    await this.#store(subject, "the end record is being written", keeper.writeEnd(end));
    return result;
  }

  /** @throws the failure of the newest checkpoint, if it could not be written */
  async #settleCheckpoints(subject: string): Promise<void> {
    const { keeper } = this.#modules;
    await this.#store(subject, "the newest checkpoint is being written", keeper.settled());
  }

  #load(step: number): ReturnType<CheckpointKeeper["loadEvaluated"]> {
    const what = `the checkpoint of step ${step}, the best one, is being read`;
    return this.#store("the last evaluation", what, this.#modules.keeper.loadEvaluated(step));
  }

  #store<T>(subject: string, what: string, work: Promise<T>): Promise<T> {
    return this.#ownWork.during({ subject, what, kind: "storage" }, work);
  }

  #compute<T>({ step }: TrainRound, what: string, work: Promise<T>): Promise<T> {
    const stage: OwnWorkStage = { subject: `step ${step}`, what, kind: "arithmetic" };
    return this.#ownWork.during(stage, work);
  }

  async #result(outcome: TrainingResult["outcome"]): Promise<TrainingResult> {
    const parametersSha256 = await this.#modules.arithmetic.sha256(this.#version.parameters);
    const stopReason = this.#decisions.state.stop?.reason ?? null;
    return { outcome, step: this.step, parametersSha256, stopReason };
  }
}
