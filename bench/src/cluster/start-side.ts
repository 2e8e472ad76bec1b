import { rmSync } from "node:fs";
import { join } from "node:path";

import type { Sample, Side } from "../sides/index.js";
import { LocalRun } from "./local-run.js";

export interface RunSideOptions {
  readonly name: string;
  readonly backend: string;
  readonly numWorkers: number;
  /** Of its own, for run directories. */
  readonly folder: string;
}

/** From the command to the first committed step. The case is the path of a config. */
export class StartSide implements Side<string> {
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
    const runDirectory = join(folder, `start-${this.#numRuns}`);
    const run = new LocalRun({ config: this.#config, runDirectory, numWorkers, backend });
    try {
      const { atMs } = await run.nextStep();
      return { ms: atMs - run.startedAtMs };
    } finally {
      await run.stop();
      rmSync(runDirectory, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
