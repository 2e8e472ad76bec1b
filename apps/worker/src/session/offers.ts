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

  /** Finds the preferred profile; there is none if no backend works here. */
  async begin(): Promise<void> {
    this.#profiles = await this.#compute.profiles(this.#backends, 1);
    this.#isComplete = this.#backends.length === 1;
  }

  async complete(): Promise<void> {
    this.#profiles = await this.#compute.profiles(this.#backends);
    this.#isComplete = true;
  }
}
