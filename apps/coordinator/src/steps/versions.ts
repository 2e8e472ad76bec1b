/** Makes the versions of a run, and numbers them. */

import type { VersionValues } from "@ostinato/proto";
import type { VersionSummary } from "./arithmetic-operations.js";
import type { Arithmetic } from "./arithmetic.js";
import type { BufferPool } from "./buffer-pool.js";
import { ParameterVersion } from "./parameter-version.js";

export interface VersionsModules {
  readonly parameters: BufferPool;
  readonly arithmetic: Arithmetic;
  /** Told once that shared memory can't be written. */
  readonly onSegmentProblem: (problem: string) => void;
}

/**
 * Each version has a number of its own, which only ever goes up: workers keep versions by their numbers,
 * and after one step there may be two, the parameters and their average.
 */
export class Versions {
  readonly #modules: VersionsModules;
  #next: number;

  /** @param first the number of the first version */
  constructor(first: number, modules: VersionsModules) {
    this.#next = first;
    this.#modules = modules;
  }

  /** A version whose parameters are in a buffer of the pool, which gets it back in the end. */
  take(step: number, values: VersionValues, summary: VersionSummary): ParameterVersion {
    const version = this.#next++;
    this.#report(summary);
    return new ParameterVersion({ version, step, values, summary }, (buffer) => {
      this.#modules.parameters.release(buffer);
    });
  }

  /** A version of a copy of these values. */
  async copy(step: number, { parameters, statistics }: VersionValues): Promise<ParameterVersion> {
    const buffer = this.#modules.parameters.acquire();
    buffer.set(parameters);
    const values = { parameters: buffer, statistics };
    return this.take(step, values, await this.#modules.arithmetic.summarize(values));
  }

  /**
   * The version that is evaluated in place of the newest one: the average that its optimizer keeps, or,
   * where that is the same or there is none yet, itself, held once more.
   */
  async averageOf(newest: ParameterVersion): Promise<ParameterVersion> {
    const { parameters, arithmetic } = this.#modules;
    const { step, statistics } = newest;
    const values = { parameters: parameters.acquire(), statistics };
    const summary = await arithmetic.average(values);
    if (summary !== undefined && Buffer.compare(summary.digest, newest.summary.digest) !== 0) {
      return this.take(step, values, summary);
    }
    if (summary !== undefined) this.#report(summary);
    parameters.release(values.parameters);
    return newest.hold();
  }

  /** Told by the summary in which it happened, and by no later one. */
  #report({ segmentProblem }: VersionSummary): void {
    if (segmentProblem !== undefined) this.#modules.onSegmentProblem(segmentProblem);
  }
}
