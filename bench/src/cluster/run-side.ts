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

/** A side that starts a run for each measurement. The case is the path of a config. */
export abstract class RunSide implements Side<string> {
  readonly name: string;
  readonly #options: RunSideOptions;
  /** What its run directories' names start with. */
  readonly #prefix: string;
  #config = "";
  #numRuns = 0;

  constructor(options: RunSideOptions, prefix: string) {
    this.name = options.name;
    this.#options = options;
    this.#prefix = prefix;
  }

  prepare(config: string): Promise<void> {
    this.#config = config;
    return Promise.resolve();
  }

  async measure(): Promise<Sample> {
    const { folder, numWorkers, backend } = this.#options;
    this.#numRuns += 1;
    const runDirectory = join(folder, `${this.#prefix}-${this.#numRuns}`);
    const run = new LocalRun({ config: this.#config, runDirectory, numWorkers, backend });
    try {
      return { ms: await this.timed(run) };
    } finally {
      await run.stop();
      rmSync(runDirectory, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Milliseconds of what is measured of a run that has just been started. */
  protected abstract timed(run: LocalRun): Promise<number>;
}
