/** How fast each worker has been, over its last leases. Pure: times are arguments. */

interface Done {
  readonly numSamples: number;
  readonly ms: number;
}

/** Enough that one odd lease does not show, few enough that a change does. */
const WINDOW_LEASES = 8;

export class WorkerSpeeds {
  readonly #done = new Map<string, Done[]>();

  /** A lease of a training step that was completed, `ms` after it was granted. */
  completed(workerId: string, numSamples: number, ms: number): void {
    const done = this.#done.get(workerId) ?? [];
    this.#done.set(workerId, [...done, { numSamples, ms }].slice(-WINDOW_LEASES));
  }

  forget(workerId: string): void {
    this.#done.delete(workerId);
  }

  /** In samples a second, the way of the lease and of its results included; NaN before the first lease. */
  of(workerId: string): number {
    const done = this.#done.get(workerId) ?? [];
    const ms = done.reduce((sum, lease) => sum + lease.ms, 0);
    const numSamples = done.reduce((sum, lease) => sum + lease.numSamples, 0);
    return ms > 0 ? (1000 * numSamples) / ms : NaN;
  }
}
