import { dispose, keep, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { tensorInPlace, tensorOf } from "@ostinato/kernels/tensor";

import type { ParameterLayout, TensorLayout } from "../../layout/index.js";
import { LstmError } from "../../lstm-error.js";

export interface SetParametersOptions {
  /**
   * Whether the values are read where they are, without a copy, where the backend can: then nobody writes to them
   * until other parameters are set. False by default.
   */
  readonly inPlace?: boolean | undefined;
}

/**
 * One parameter version on the backend, with what is computed from it once a version, such as the
 * transposes that backward multiplies with. It owns its tensors until {@link dispose}.
 */
export class ParameterTensors {
  readonly #entries: ReadonlyMap<string, TensorLayout>;
  readonly #tensors = new Map<string, Tensor>();

  /**
   * @param flat in the layout's order; copied, unless it is to be read in place.
   * @throws LstmError `invalidParameters` when the length is not the layout's.
   */
  constructor(
    layout: ParameterLayout,
    flat: Float32Array,
    { inPlace = false }: SetParametersOptions = {},
  ) {
    if (flat.length !== layout.size) {
      throw new LstmError(
        "invalidParameters",
        `parameters have ${flat.length} values, the model has ${layout.size}`,
      );
    }
    this.#entries = new Map(layout.tensors.map((entry) => [entry.name, entry]));
    for (const { name, shape, offset, size } of layout.tensors) {
      const values = flat.subarray(offset, offset + size);
      const made = inPlace ? tensorInPlace(values, shape) : tensorOf(values, shape);
      this.#tensors.set(name, keep(made));
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  matrix(name: string): Tensor2D {
    return this.#named(name) as Tensor2D;
  }

  vector(name: string): Tensor1D {
    return this.#named(name) as Tensor1D;
  }

  /** Number of values. */
  sizeOf(name: string): number {
    return this.#named(name).size;
  }

  /** Where it starts in the layout. */
  offsetOf(name: string): number {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new RangeError(`there is no parameter tensor ${name}`);
    return entry.offset;
  }

  /**
   * What `make` computes from this version, computed the first time it is asked for.
   *
   * @param what names the result, such as `transpose of head.kernel`
   */
  derived<T extends Tensor>(what: string, make: () => T): T {
    let found = this.#tensors.get(what);
    if (found === undefined) {
      found = tidy(() => keep(make()));
      this.#tensors.set(what, found);
    }
    return found as T;
  }

  dispose(): void {
    dispose([...this.#tensors.values()]);
    this.#tensors.clear();
  }

  #named(name: string): Tensor {
    const found = this.#tensors.get(name);
    if (found === undefined) throw new RangeError(`there is no parameter tensor ${name}`);
    return found;
  }
}
