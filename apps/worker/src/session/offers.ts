/** Which numerics profiles a worker offers. */

import type { BackendName } from "@ostinato/kernels/tensor";
import type { NumericsProfile } from "@ostinato/proto";

import type { Compute } from "../training/index.js";

/**
 * The preferred backend that works here, alone; all others as well once a run wants another one. A profile takes a
 * computation with its backend, and most runs compute with what their workers prefer.
 */
export class Offers {
  readonly #backends: readonly BackendName[];
  readonly #compute: Pick<Compute, "profiles">;
  #profiles: readonly NumericsProfile[] = [];
  #isComplete = false;
  #begun: Promise<void> | undefined;

  /** @param backends the preferred one first */
  constructor(backends: readonly BackendName[], compute: Pick<Compute, "profiles">) {
    this.#backends = backends;
    this.#compute = compute;
  }

  /** What to offer now, the preferred one first. */
  get profiles(): readonly NumericsProfile[] {
    return this.#profiles;
  }

  /** Nothing more can be offered. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Those that are tried, in this order. */
  get backends(): readonly BackendName[] {
    return this.#backends;
  }

  /** Finds the preferred profile, once; there is none if no backend works here. */
  begin(): Promise<void> {
    this.#begun ??= this.#findPreferred();
    return this.#begun;
  }

  async complete(): Promise<void> {
    this.#profiles = await this.#compute.profiles(this.#backends);
    this.#isComplete = true;
  }

  async #findPreferred(): Promise<void> {
    this.#profiles = await this.#compute.profiles(this.#backends, 1);
    this.#isComplete = this.#backends.length === 1;
  }
}
