/** Tells metrics, watchers, log and metrics.jsonl what was committed. */

import type { Clock, Logger } from "@ostinato/runtime";
import type { Metrics } from "../ops/index.js";
import type { EventHub } from "./event-hub.js";
import { ProgressMeter } from "./progress-meter.js";
import type { Totals } from "./records.js";

export interface CommittedStep {
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  /** Absent for a step that was skipped: none of its samples is in the parameters. */
  readonly applied:
    | { readonly totals: Totals; readonly gradientNorm: number; readonly clipped: boolean }
    | undefined;
  readonly learningRate: number;
  /** It was in the ledger before a resume. */
  readonly replayed: boolean;
}

export interface CommittedEvaluation {
  readonly step: number;
  readonly split: "train" | "validation" | "test";
  readonly loss: number;
  readonly best: boolean;
  readonly replayed: boolean;
}

export interface PublisherModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: EventHub;
  readonly metricsFile: { append(line: Readonly<Record<string, unknown>>): void };
  readonly numWorkers: () => number;
}

export class Publisher {
  readonly #modules: PublisherModules;
  readonly #meter = new ProgressMeter();
  #isFileBroken = false;

  constructor(modules: PublisherModules) {
    this.#modules = modules;
  }

  step(committed: CommittedStep): void {
    const { clock, metrics, events, logger, numWorkers } = this.#modules;
    const { step, totalSteps, epoch, applied, learningRate, replayed } = committed;
    const samples = applied?.totals.samples ?? 0;
    this.#meter.step(samples, clock.now());
    const outcome = applied === undefined ? "skipped" : replayed ? "replayed" : "committed";
    metrics.steps.inc({ outcome });
    metrics.tokens.inc(samples);
    metrics.step.set(step);
    metrics.epoch.set(epoch);
    metrics.learningRate.set(learningRate);
    if (applied !== undefined) {
      metrics.trainLoss.set(applied.totals.loss);
      metrics.gradientNorm.set(applied.gradientNorm);
      if (applied.clipped) metrics.clipped.inc();
    }
    const { tokensPerSecond } = this.#meter;
    const skipped = applied === undefined;
    // JSON has no NaN: in the file, a step that was skipped has null for both.
    const loss = applied?.totals.loss ?? NaN;
    const gradientNorm = applied?.gradientNorm ?? NaN;
    const line = { step, epoch, loss, learningRate, gradientNorm, tokensPerSecond, skipped };
    events.emit({
      kind: "step",
      ...line,
      totalSteps,
      workers: numWorkers(),
      secondsLeft: this.#meter.secondsLeft(totalSteps - step),
      replayed,
    });
    if (!replayed) this.#append({ type: "step", ...line });
    logger.debug(line, skipped ? "step skipped" : "step committed");
  }

  evaluation({ step, split, loss, best, replayed }: CommittedEvaluation): void {
    const { metrics, events } = this.#modules;
    metrics.evaluations.inc({ split });
    metrics.evaluationLoss.set({ split }, loss);
    events.emit({ kind: "evaluation", step, split, loss, best });
    if (!replayed) this.#append({ type: "evaluation", step, split, loss, best });
  }

  /** The file is a view on the ledger: that it can't be written is no reason to stop. */
  #append(line: Readonly<Record<string, unknown>>): void {
    try {
      this.#modules.metricsFile.append(line);
      this.#isFileBroken = false;
    } catch (error) {
      if (this.#isFileBroken) return;
      this.#isFileBroken = true;
      const text = `metrics.jsonl can't be written: ${String(error)}; training goes on`;
      this.#modules.logger.warn({ err: error }, text);
      this.#modules.events.emit({ kind: "notice", level: "warn", text });
    }
  }
}
