import { rmSync } from "node:fs";
import { join } from "node:path";

import type { Sample, Side } from "../sides/index.js";
import { LocalRun } from "./local-run.js";
import type { RunSideOptions } from "./start-side.js";

const STEPS_BEFORE = 8;

/**
 * From the SIGKILL of a worker to the next committed step. It comes when a step was just committed and the
 * next one's leases are out, so that the worker has work to leave unfinished. The case is the path of a config.
 */
export class RecoverySide implements Side<string> {
  readonly name: string;
  readonly #options: RunSideOptions;
  #config = "";
  #numRuns = 0;

  constructor(options: RunSideOptions) {
    this.name = options.name;
    this.#options = options;
  }

  prepare(config: string): Promise<void> {
    this.#config = config;
    return Promise.resolve();
  }

  async measure(): Promise<Sample> {
    const { folder, numWorkers, backend } = this.#options;
    this.#numRuns += 1;
    const runDirectory = join(folder, `recovery-${this.#numRuns}`);
    const run = new LocalRun({ config: this.#config, runDirectory, numWorkers, backend });
    try {
      for (let step = 0; step < STEPS_BEFORE; step++) await run.nextStep();
      const worker = run.processOf("worker-1");
      run.forgetSteps();
      const killedAtMs = performance.now();
      process.kill(worker, "SIGKILL");
      const { atMs } = await run.nextStep();
      return { ms: atMs - killedAtMs };
    } finally {
      await run.stop();
      rmSync(runDirectory, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
