import { rmSync } from "node:fs";
import { join } from "node:path";

import type { TrainingStep } from "../cases/index.js";
import type { Sample, Side } from "../sides/index.js";
import { LocalRun } from "./local-run.js";
import type { TakenStep } from "./local-run.js";
import { readMetricsPage } from "./metrics-page.js";
import type { MetricsPage } from "./metrics-page.js";
import { writeTrainingFiles } from "./training-files.js";

/** Steps at least until every process holds its memory and has compiled its code. */
const WARM_UP_STEPS = 8;
const MIN_STEPS = 4;
const P = "ostinato_coordinator_";

export interface ClusterSideOptions {
  readonly name: string;
  readonly backend: string;
  readonly numWorkers: number;
  /** Of its own, for data and run directories. */
  readonly folder: string;
}

/**
 * A local cluster, started anew for each measurement, so that it takes no time from those beside it. What
 * counts are the steps committed between two of the run's own step events.
 */
export class ClusterSide implements Side<TrainingStep> {
  readonly name: string;
  readonly #options: ClusterSideOptions;
  #config = "";
  #numRuns = 0;

  constructor(options: ClusterSideOptions) {
    this.name = options.name;
    this.#options = options;
  }

  prepare(step: TrainingStep): Promise<void> {
    this.#config = writeTrainingFiles(this.#options.folder, step);
    return Promise.resolve();
  }

  async measure(seconds: number): Promise<Sample> {
    const { folder, numWorkers, backend } = this.#options;
    this.#numRuns += 1;
    const runDirectory = join(folder, `run-${this.#numRuns}`);
    const run = new LocalRun({ config: this.#config, runDirectory, numWorkers, backend });
    try {
      return await measureSteps(run, seconds);
    } finally {
      await run.stop();
      rmSync(runDirectory, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function measureSteps(run: LocalRun, seconds: number): Promise<Sample> {
  const begun: TakenStep = await run.nextStep();
  let first = begun;
  // For as long as it is measured afterwards. The peers' processes live through all rounds, and are warm.
  for (let step = 1; step < WARM_UP_STEPS || first.atMs - begun.atMs < seconds * 1000; step++) {
    first = await run.nextStep();
  }
  const before = await readMetricsPage(run.metricsUrl);
  let last: TakenStep;
  do {
    last = await run.nextStep();
  } while (last.atMs - first.atMs < seconds * 1000 || last.step - first.step < MIN_STEPS);
  let after = await readMetricsPage(run.metricsUrl);
  // The page can be ahead of the events, which wait in a pipe: without a step in between, no time is a step's.
  while (committedSteps(after) - committedSteps(before) < MIN_STEPS) {
    last = await run.nextStep();
    after = await readMetricsPage(run.metricsUrl);
  }
  const ms = (last.atMs - first.atMs) / (last.step - first.step);
  return { ms, details: detailsOf(before, after) };
}

function committedSteps(page: MetricsPage): number {
  return page.value(`${P}steps_total{outcome="committed"}`);
}

/** Where the coordinator's time went, in milliseconds a step. */
function detailsOf(before: MetricsPage, after: MetricsPage): Readonly<Record<string, number>> {
  const grown = (series: string): number => after.value(P + series) - before.value(P + series);
  const steps = committedSteps(after) - committedSteps(before);
  const perStep = (series: string): number => (grown(series) / steps) * 1000;
  const phase = (name: string): number => perStep(`step_phase_seconds_sum{phase="${name}"}`);
  const lag = (quantile: string): number =>
    after.value(`${P}event_loop_lag_seconds{quantile="${quantile}"}`) * 1000;
  return {
    collectMs: phase("collect"),
    reduceMs: phase("reduce"),
    commitMs: phase("commit"),
    checkpointMs: perStep("checkpoint_seconds_sum"),
    eventLoopLagP99Ms: lag("0.99"),
    eventLoopLagMaxMs: lag("1"),
  };
}
