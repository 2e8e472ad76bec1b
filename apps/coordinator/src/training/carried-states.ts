/** The hidden and cell state of every leaf's rows after the newest committed step. */

/** Replaced only at commit; empty at an epoch's start, where every state is zero. */
export class CarriedStates {
  #states: ReadonlyMap<number, Float32Array>;
  /** Workers that computed a leaf's state themselves in the newest step, and so have it. */
  #holders = new Map<number, ReadonlySet<string>>();

  constructor(states: ReadonlyMap<number, Float32Array> = new Map()) {
    this.#states = states;
  }

  replace(
    states: ReadonlyMap<number, Float32Array>,
    holders: ReadonlyMap<number, ReadonlySet<string>>,
  ): void {
    this.#states = states;
    this.#holders = new Map(holders);
  }

  /** An epoch begins. */
  clear(): void {
    this.#states = new Map();
    this.#holders.clear();
  }

  /** A worker failed; that may be for want of a state it was taken to hold. */
  forget(workerId: string): void {
    for (const [leaf, holders] of this.#holders) {
      if (!holders.has(workerId)) continue;
      this.#holders.set(leaf, new Set([...holders].filter((holder) => holder !== workerId)));
    }
  }

  /** A step was skipped: the states stay those from before it, which no worker keeps. */
  forgetHolders(): void {
    this.#holders.clear();
  }

  /** How this worker comes by the leaf's state. */
  sourceFor(leaf: number, workerId: string): "zero" | "held" | "sent" {
    if (!this.#states.has(leaf)) return "zero";
    return this.#holders.get(leaf)?.has(workerId) === true ? "held" : "sent";
  }

  get(leaf: number): Float32Array | undefined {
    return this.#states.get(leaf);
  }

  /** A consistent view for a checkpoint: states are replaced as a whole, never written to. */
  all(): ReadonlyMap<number, Float32Array> {
    return this.#states;
  }
}
