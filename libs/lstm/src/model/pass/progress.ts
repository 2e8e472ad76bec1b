import { LstmError } from "../../lstm-error.js";

export type ComputePhase = "forward" | "backward";

export interface ProgressOptions {
  /**
   * Called at least every 16 time steps and once in each part of backward.
   *
   * @param timeSteps time steps done in this phase of this call, over all layers.
   */
  readonly onProgress?: ((phase: ComputePhase, timeSteps: number) => void) | undefined;
  /** Asked as often; true ends the call with LstmError `cancelled`. */
  readonly isCancelled?: (() => boolean) | undefined;
}

/** Counts time steps over the layers of a phase, and is where a computation can be stopped. */
export class Progress {
  readonly #options: ProgressOptions;
  #phase: ComputePhase = "forward";
  #before = 0;
  #current = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Starts counting anew. */
  beginPhase(phase: ComputePhase): void {
    this.#phase = phase;
    this.#before = 0;
    this.report(0);
  }

  /** Starts a layer, whose steps are counted on top of those of the layers before. */
  beginLayer(): void {
    this.#before = this.#current;
  }

  /**
   * @param timeSteps done in the current layer.
   * @throws LstmError `cancelled`
   */
  readonly report = (timeSteps: number): void => {
    this.#current = this.#before + timeSteps;
    this.alive();
  };

  /**
   * Work that counts no time step, such as one leaf's weight gradients, goes on.
   *
   * @throws LstmError `cancelled`
   */
  alive(): void {
    if (this.#options.isCancelled?.() === true) {
      throw new LstmError(
        "cancelled",
        `cancelled in the ${this.#phase} pass after ${this.#current} time steps`,
      );
    }
    this.#options.onProgress?.(this.#phase, this.#current);
  }
}
