/** How often each worker failed in a row, and when that is too often. Pure. */

/** A machine that fails this many times without a success between them is not asked again. */
const MAX_FAILURES_IN_A_ROW = 3;

/**
 * Counts failures that are the worker's own: a lease it could not compute, an upload that is broken,
 * a result that is not finite where others' is. Lateness is none: that is what expiry is for.
 */
export class Conduct {
  readonly #failures = new Map<string, number>();

  /** @returns whether the worker is to be quarantined now */
  failed(workerId: string): boolean {
    const count = (this.#failures.get(workerId) ?? 0) + 1;
    this.#failures.set(workerId, count);
    return count >= MAX_FAILURES_IN_A_ROW;
  }

  succeeded(workerId: string): void {
    this.#failures.delete(workerId);
  }

  /** The identity is dead. */
  forget(workerId: string): void {
    this.#failures.delete(workerId);
  }
}
