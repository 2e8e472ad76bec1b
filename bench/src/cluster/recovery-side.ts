import type { LocalRun } from "./local-run.js";
import { activeWorkers, readMetricsPage } from "./metrics-page.js";
import { RunSide } from "./run-side.js";
import type { RunSideOptions } from "./run-side.js";

const STEPS_BEFORE = 8;

/**
 * From the SIGKILL of a worker to the next committed step. It comes when a step was just committed and the
 * next one's leases are out, so that the worker has work to leave unfinished.
 */
export class RecoverySide extends RunSide {
  readonly #numWorkers: number;

  constructor(options: RunSideOptions) {
    super(options, "recovery");
    this.#numWorkers = options.numWorkers;
  }

  protected async timed(run: LocalRun): Promise<number> {
    for (let step = 0; step < STEPS_BEFORE; step++) await run.nextStep();
    // Short steps go by before the last worker has come: it is not yet one that could die.
    for (;;) {
      if (activeWorkers(await readMetricsPage(run.metricsUrl)) >= this.#numWorkers) break;
      await run.nextStep();
    }
    const worker = run.processOf("worker-1");
    run.forgetSteps();
    const killedAtMs = performance.now();
    process.kill(worker, "SIGKILL");
    const { atMs } = await run.nextStep();
    return atMs - killedAtMs;
  }
}
