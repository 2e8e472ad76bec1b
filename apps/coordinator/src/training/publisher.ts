/** Tells metrics, watchers, log and metrics.jsonl what was committed. */

import { metricsLine } from "@ostinato/run";
import type { EvaluationRecord, MetricsFile, StepRecord } from "@ostinato/run";
import type { Clock, Logger } from "@ostinato/runtime";
import type { Metrics } from "../ops/index.js";
import type { EventHub } from "./event-hub.js";
import { ProgressMeter } from "./progress-meter.js";

export interface PublisherModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: EventHub;
  /** Never throws: the file is a view on the ledger, and no reason to stop. */
  readonly metricsFile: Pick<MetricsFile, "append">;
  readonly numWorkers: () => number;
}

export class Publisher {
  readonly #modules: PublisherModules;
  readonly #meter = new ProgressMeter();

  constructor(modules: PublisherModules) {
    this.#modules = modules;
  }

  /** How fast the run goes, and when it will be done. */
  get pace(): Pick<ProgressMeter, "samplesPerSecond" | "secondsLeft"> {
    return this.#meter;
  }

  /** @param replayed whether it was in the ledger before a resume */
  step(record: StepRecord, totalSteps: number, replayed: boolean): void {
    const { clock, metrics, events, logger, metricsFile, numWorkers } = this.#modules;
    const { step, epoch, samples, learningRate } = record;
    const skipped = record.skipped !== null;
    this.#meter.step(samples, clock.now());
    metrics.steps.inc({ outcome: skipped ? "skipped" : replayed ? "replayed" : "committed" });
    metrics.samples.inc(samples);
    metrics.step.set(step);
    metrics.epoch.set(epoch);
    metrics.learningRate.set(learningRate);
    // A step that was skipped has neither; one without a target that counts has no loss.
    const loss = record.loss ?? NaN;
    const gradientNorm = record.gradientNorm ?? NaN;
    if (!skipped) {
      if (!Number.isNaN(loss)) metrics.trainLoss.set(loss);
      metrics.gradientNorm.set(gradientNorm);
      if (record.clipped) metrics.clipped.inc();
    }
    const { samplesPerSecond } = this.#meter;
    events.emit({
      kind: "step",
      ...{ step, totalSteps, epoch, loss, learningRate, gradientNorm, samplesPerSecond },
      workers: numWorkers(),
      secondsLeft: this.#meter.secondsLeft(totalSteps - step),
      skipped,
      replayed,
    });
    const line = metricsLine(record, samplesPerSecond);
    if (!replayed) metricsFile.append(line);
    logger.debug(line, skipped ? "step skipped" : "step committed");
  }

  /** @param replayed whether it was in the ledger before a resume */
  evaluation(record: EvaluationRecord, replayed: boolean): void {
    const { metrics, events, metricsFile } = this.#modules;
    const { step, split, best, loss: recorded } = record;
    const loss = recorded ?? NaN;
    metrics.evaluations.inc({ split });
    metrics.evaluationLoss.set({ split }, loss);
    events.emit({ kind: "evaluation", step, split, loss, best });
    if (!replayed) metricsFile.append(metricsLine(record));
  }
}
