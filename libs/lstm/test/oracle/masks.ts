/**
 * The random masks of a training step, by the contract that src/model/layers/regularization/random-masks.ts
 * writes down.
 */
import { fillDropoutMask, fillUniform } from "../../src/random/index.js";
import type { RandomKey } from "../../src/random/index.js";

export interface MaskOptions {
  readonly purpose: RandomKey["purpose"];
  readonly layer: number;
  readonly leaf: number;
  readonly row: number;
  readonly rate: number;
  /** C */
  readonly size: number;
}

/** What one value is multiplied with, or mixed by. */
export type ActivationMask = (t: number, unit: number) => number;

const MAX_STEPS = 32;

/** Each stream is drawn once, however often the forward pass is repeated. */
export class OracleMasks {
  readonly #training: Pick<RandomKey, "seed" | "step"> | undefined;
  readonly #drawn = new Map<string, Float32Array>();

  /** @param training undefined in evaluation. */
  constructor(training: Pick<RandomKey, "seed" | "step"> | undefined) {
    this.#training = training;
  }

  get isTraining(): boolean {
    return this.#training !== undefined;
  }

  dropout(options: MaskOptions, isLocked: boolean): ActivationMask {
    const { purpose, layer, leaf, row, rate, size } = options;
    if (this.#training === undefined || rate === 0) return () => 1;
    const key = { ...this.#training, purpose, layer, leaf, row };
    const mask = this.#draw(key, size * MAX_STEPS, (out) => {
      fillDropoutMask(key, 1 - rate, out);
    });
    return (t, unit) => mask[isLocked ? unit : t * size + unit]!;
  }

  /** In evaluation the state before is kept by its chance (Krueger et al., 2017). */
  zoneout({ purpose, layer, leaf, row, rate, size }: MaskOptions): ActivationMask {
    if (this.#training === undefined || rate === 0) return () => rate;
    const key = { ...this.#training, purpose, layer, leaf, row };
    const numbers = this.#draw(key, size * MAX_STEPS, (out) => {
      fillUniform(key, out);
    });
    return (t, unit) => (numbers[t * size + unit]! < rate ? 1 : 0);
  }

  /** Of the step: the same for all leaves. */
  shared(
    purpose: "weightDropout" | "embeddingDropout",
    layer: number,
    rate: number,
    count: number,
  ): (counter: number) => number {
    if (this.#training === undefined || rate === 0) return () => 1;
    const key = { ...this.#training, purpose, layer };
    const mask = this.#draw(key, count, (out) => {
      fillDropoutMask(key, 1 - rate, out);
    });
    return (counter) => mask[counter]!;
  }

  #draw(key: RandomKey, count: number, fill: (out: Float32Array) => void): Float32Array {
    const { purpose, layer, leaf, row } = key;
    const name = `${purpose} ${layer} ${leaf} ${row}`;
    let found = this.#drawn.get(name);
    if (found === undefined) {
      found = new Float32Array(count);
      fill(found);
      this.#drawn.set(name, found);
    }
    return found;
  }
}
