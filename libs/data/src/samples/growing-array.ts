type NumberArray = Uint32Array | Int32Array | Float32Array;

/** A typed array that becomes longer. */
export class GrowingArray<A extends NumberArray> {
  readonly #create: new (length: number) => A;
  #values: A;
  #length = 0;

  constructor(create: new (length: number) => A) {
    this.#create = create;
    this.#values = new create(64);
  }

  get length(): number {
    return this.#length;
  }

  push(added: ArrayLike<number>): void {
    const end = this.#length + added.length;
    if (end > this.#values.length) {
      const longer = new this.#create(Math.max(2 * this.#values.length, end));
      longer.set(this.#values.subarray(0, this.#length));
      this.#values = longer;
    }
    this.#values.set(added, this.#length);
    this.#length = end;
  }

  values(): A {
    return this.#values.slice(0, this.#length) as A;
  }
}
