/** The run, from its first step to its last: step → ledger → evaluation → checkpoint → end. */

import { createHash } from "node:crypto";
import type { OptimizerState } from "@ostinato/lstm";
import { learningRateAt } from "@ostinato/lstm";
import type { RunConfig } from "@ostinato/run";
import type { Clock, Logger } from "@ostinato/runtime";
import type { CheckpointKeeper } from "../checkpoints/index.js";
import { CoordinatorError } from "../errors/index.js";
import type { LedgerPosition, RunLedger } from "../ledger/index.js";
import type { Metrics } from "../ops/index.js";
import type { ApplyResult, Arithmetic, BufferPool } from "../steps/index.js";
import { GradientTree, ParameterVersion } from "../steps/index.js";
import type { CarriedStates } from "./carried-states.js";
import type { Dispatcher } from "./dispatcher.js";
import { EvaluationRound } from "./evaluation-round.js";
import type { EventHub } from "./event-hub.js";
import type { TrainingPlan } from "./plan.js";
import { ProgressMeter } from "./progress-meter.js";
import type { Totals } from "./records.js";
import { toEvaluationRecord, toStepRecord, totalsOf } from "./records.js";
import { TrainRound } from "./train-round.js";

export interface TrainerOptions {
  readonly config: RunConfig;
  readonly plan: TrainingPlan;
  /** Names the samples of leaves, for a message about bad data. */
  readonly describeSamples: (epochStep: number, leaves: readonly number[]) => string;
}

export interface TrainerModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly dispatcher: Dispatcher;
  readonly arithmetic: Arithmetic;
  readonly parameters: BufferPool;
  readonly gradients: BufferPool;
  readonly states: CarriedStates;
  readonly ledger: RunLedger;
  readonly keeper: CheckpointKeeper;
  readonly events: EventHub;
  readonly metricsFile: { append(line: Readonly<Record<string, unknown>>): void };
}

/** Decisions that later steps depend on; part of every checkpoint. */
export interface TrainingProgress {
  readonly best: { readonly step: number; readonly loss: number } | null;
  /** The newest step whose validation evaluation is committed. */
  readonly evaluatedStep: number;
}

export interface TrainerStart {
  readonly version: ParameterVersion;
  readonly progress: TrainingProgress;
  readonly position: LedgerPosition;
}

export interface TrainingResult {
  readonly outcome: "completed" | "stopped";
  readonly step: number;
  readonly parametersSha256: string;
}

/** Names what a step waits for, for `ostinato status` and /healthz. */
export type TrainerState = "waiting" | "training" | "evaluating" | "finishing" | "ended";

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #modules: TrainerModules;
  readonly #meter: ProgressMeter;
  #version: ParameterVersion;
  #progress: TrainingProgress;
  #position: LedgerPosition;
  #state: TrainerState = "waiting";
  #loss = 0;

  constructor(options: TrainerOptions, modules: TrainerModules, start: TrainerStart) {
    this.#options = options;
    this.#modules = modules;
    this.#version = start.version;
    this.#progress = start.progress;
    this.#position = start.position;
    this.#meter = new ProgressMeter(modules.clock.now());
  }

  /** The newest committed step. */
  get step(): number {
    return this.#version.version;
  }

  get state(): TrainerState {
    return this.#state;
  }

  get loss(): number {
    return this.#loss;
  }

  /**
   * Trains to the end of the plan, or until the signal, which ends it with a checkpoint.
   *
   * @throws {CoordinatorError} `nonFinite`, `replayMismatch`
   */
  async run(signal: AbortSignal): Promise<TrainingResult> {
    try {
      const { plan } = this.#options;
      if (this.step === 0) await this.#checkpoint({});
      await this.#evaluateIfDue(signal);
      while (this.step < plan.totalSteps) {
        this.#state = "training";
        await this.#trainStep(signal);
        const isBest = await this.#evaluateIfDue(signal);
        const isDue = this.step % this.#options.config.checkpoints.everySteps === 0;
        if (isDue || isBest || this.step === plan.totalSteps) await this.#checkpoint({ isBest });
      }
      this.#state = "finishing";
      await this.#modules.keeper.settled();
      return await this.#finish(signal);
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.code !== "stopped") throw error;
      await this.#checkpoint({});
      await this.#modules.keeper.settled();
      return this.#result("stopped");
    } finally {
      this.#state = "ended";
    }
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
      metrics.stepSeconds.observe({ phase: "collect" }, (collectedMs - startMs) / 1000);
      if (outcome.kind === "nonFinite") {
        const { firstLeaf, numLeaves } = outcome.node;
        const leaves = Array.from({ length: numLeaves }, (_, i) => firstLeaf + i);
        await this.#skipOrStop(round, leaves, outcome.detail);
        return;
      }
      const totals = totalsOf(round.results());
      const applied = await this.#apply(round, totals);
      if (applied === undefined) return;
      metrics.stepSeconds.observe({ phase: "reduce" }, (clock.now() - collectedMs) / 1000);
      this.#commitStep(round, totals, applied, outcome.holders);
      metrics.stepSeconds.observe({ phase: "total" }, (clock.now() - startMs) / 1000);
    } finally {
      await tree.discard();
    }
  }

  async #apply(
    round: TrainRound,
    totals: Totals,
  ): Promise<{ readonly result: ApplyResult; readonly version: ParameterVersion } | undefined> {
    const { arithmetic, gradients, parameters } = this.#modules;
    const gradient = await round.tree.takeRoot();
    const out = parameters.acquire();
    const release = (buffer: Float32Array): void => {
      parameters.release(buffer);
    };
    try {
      const result = await arithmetic.apply({
        parameters: this.#version.parameters,
        gradient,
        out,
        lossWeight: totals.lossWeight,
        maxNorm: this.#options.config.optimizer.clipNorm ?? undefined,
        learningRate: this.#learningRate(round.planned.step),
      });
      if (result.version !== undefined) {
        const { step } = round.planned;
        return { result, version: new ParameterVersion(step, out, result.version, release) };
      }
      release(out);
      const all = round.results().map(({ leaf }) => leaf);
      await this.#skipOrStop(round, all, `the gradient norm is ${result.gradientNorm}`);
      return undefined;
    } finally {
      gradients.release(gradient);
    }
  }

  #learningRate(step: number): number {
    const { optimizer } = this.#options.config;
    const { schedule, learningRate } = optimizer;
    return learningRateAt(schedule, { step: step - 1, learningRate });
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
    const learningRate = this.#learningRate(round.planned.step);
    const { result, version } = applied;
    this.#advance(version);
    states.replace(round.states(), holders);
    const record = toStepRecord({ round, totals, learningRate, applied: result, version });
    const replayed = this.#commitRecord(record);
    this.#meter.step(totals.samples, clock.now());
    metrics.steps.inc({ outcome: replayed ? "replayed" : "committed" });
    metrics.tokens.inc(totals.samples);
    metrics.gradientNorm.set(result.gradientNorm);
    if (result.clipped) metrics.clipped.inc();
    metrics.stepSeconds.observe({ phase: "commit" }, (clock.now() - startMs) / 1000);
    this.#publishStep({ totals, learningRate, gradientNorm: result.gradientNorm, replayed });
  }

  /** The run itself produces values that are not finite here: stop, or leave the step out. */
  async #skipOrStop(round: TrainRound, leaves: readonly number[], detail: string): Promise<void> {
    const { planned } = round;
    const where =
      `step ${planned.step}: the result of leaves ${leaves.join(", ")} is not finite (${detail}), ` +
      `the same on every try; ${this.#options.describeSamples(planned.epochStep, leaves)}`;
    if (this.#options.config.training.onNonFinite === "stop") {
      throw new CoordinatorError(
        "nonFinite",
        `${where}. The newest checkpoint is kept; lower the learning rate or set ` +
          "training.onNonFinite: skipStep",
      );
    }
    const { parameters, arithmetic, states, metrics, events } = this.#modules;
    const copy = parameters.acquire();
    copy.set(this.#version.parameters);
    const version = new ParameterVersion(
      planned.step,
      copy,
      await arithmetic.summarize(copy),
      (buffer) => {
        parameters.release(buffer);
      },
    );
    this.#advance(version);
    states.forgetHolders();
    const totals = totalsOf(round.results());
    const learningRate = this.#learningRate(planned.step);
    const record = toStepRecord({ round, totals, learningRate, applied: undefined, version });
    this.#commitRecord(record);
    metrics.steps.inc({ outcome: "skipped" });
    events.emit({ kind: "notice", level: "warn", text: `${where}; the step is skipped` });
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

  #publishStep(step: {
    readonly totals: Totals;
    readonly learningRate: number;
    readonly gradientNorm: number;
    readonly replayed: boolean;
  }): void {
    const { metrics, events, metricsFile, logger } = this.#modules;
    const { plan } = this.#options;
    const { epoch } = plan.at(this.step);
    const { loss } = step.totals;
    this.#loss = loss;
    metrics.step.set(this.step);
    metrics.epoch.set(epoch);
    metrics.trainLoss.set(loss);
    metrics.learningRate.set(step.learningRate);
    const tokensPerSecond = this.#meter.tokensPerSecond;
    const { learningRate, gradientNorm, replayed } = step;
    events.emit({
      kind: "step",
      step: this.step,
      totalSteps: plan.totalSteps,
      epoch,
      loss,
      learningRate,
      gradientNorm,
      tokensPerSecond,
      workers: this.#modules.dispatcher.numWorkers,
      secondsLeft: this.#meter.secondsLeft(plan.totalSteps - this.step),
      skipped: false,
      replayed,
    });
    const line = { step: this.step, epoch, loss, learningRate, gradientNorm, tokensPerSecond };
    if (!replayed) metricsFile.append({ type: "step", ...line });
    logger.debug(line, "step committed");
  }

  /** Evaluates the validation part where the plan says so; true where it is the best so far. */
  async #evaluateIfDue(signal: AbortSignal): Promise<boolean> {
    const { plan } = this.#options;
    if (this.#progress.evaluatedStep >= this.step || !plan.isEvaluationDue(this.step)) return false;
    const loss = await this.#evaluate("validation", this.#version, signal, (candidate) =>
      this.#isBest(candidate),
    );
    const best = this.#isBest(loss);
    this.#progress = {
      best: best ? { step: this.step, loss } : this.#progress.best,
      evaluatedStep: this.step,
    };
    return best;
  }

  #isBest(loss: number): boolean {
    return this.#progress.best === null || loss < this.#progress.best.loss;
  }

  async #evaluate(
    split: "validation" | "test",
    version: ParameterVersion,
    signal: AbortSignal,
    isBest: (loss: number) => boolean,
  ): Promise<number> {
    this.#state = "evaluating";
    const { dispatcher, metrics, events, metricsFile } = this.#modules;
    const round = new EvaluationRound({
      split,
      step: version.version,
      version,
      numLeaves: this.#options.config.training.microShards,
      firstFence: dispatcher.nextFence,
    });
    await dispatcher.collect(round, signal);
    const totals = totalsOf(round.results());
    if (!Number.isFinite(totals.loss)) {
      throw new CoordinatorError(
        "nonFinite",
        `the ${split} loss at step ${version.version} is ${totals.loss}; the newest checkpoint is kept`,
      );
    }
    const best = isBest(totals.loss);
    const replayed = this.#commitRecord(toEvaluationRecord({ round, totals, best }));
    metrics.evaluations.inc({ split });
    metrics.evaluationLoss.set({ split }, totals.loss);
    const { loss } = totals;
    events.emit({ kind: "evaluation", step: version.version, split, loss, best });
    if (!replayed) {
      metricsFile.append({ type: "evaluation", step: version.version, split, loss, best });
    }
    return loss;
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
      states: isEpochEnd ? new Map<number, Float32Array>() : states.all(),
      progress: this.#progress,
      position: this.#position,
      isBest: options.isBest ?? false,
    };
    // Posted before the next step's `apply`, so it sees the optimizer as of this step.
    const optimizer: OptimizerState = await arithmetic.snapshot();
    keeper.save({ ...request, optimizer }, () => {
      version.letGo();
    });
  }

  /** The test part, once, with the parameters that the validation part chose; then the end. */
  async #finish(signal: AbortSignal): Promise<TrainingResult> {
    const { keeper, arithmetic, parameters, ledger } = this.#modules;
    const { best } = this.#progress;
    if (this.#options.config.evaluation.final) {
      let version = this.#version.hold();
      if (best !== null && best.step !== this.step) {
        version.letGo();
        const buffer = parameters.acquire();
        buffer.set(await keeper.loadParameters(best.step));
        version = new ParameterVersion(
          best.step,
          buffer,
          await arithmetic.summarize(buffer),
          (done) => {
            parameters.release(done);
          },
        );
      }
      try {
        await this.#evaluate("test", version, signal, () => false);
      } finally {
        version.letGo();
      }
    }
    this.#state = "finishing";
    const result = this.#result("completed");
    this.#commitRecord({
      type: "end",
      outcome: "completed",
      step: this.step,
      parametersSha256: result.parametersSha256,
      best,
    });
    await ledger.sync();
    await keeper.writeEnd({ ...result, outcome: "completed", position: this.#position });
    return result;
  }

  #result(outcome: TrainingResult["outcome"]): TrainingResult {
    const { buffer, byteOffset, byteLength } = this.#version.parameters;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const parametersSha256 = createHash("sha256").update(bytes).digest("hex");
    return { outcome, step: this.step, parametersSha256 };
  }
}
