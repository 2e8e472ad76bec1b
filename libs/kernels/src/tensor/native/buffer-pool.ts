/** Arrays that are used again for tensors of the same size: new memory costs as much as some kernels. */
export class BufferPool {
  readonly #free = new Map<number, Float32Array[]>();
  readonly #limit: number;
  #held = 0;

  /** @param limit bytes that wait here at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Of arbitrary contents. */
  take(length: number): Float32Array {
    const array = this.#free.get(length)?.pop();
    if (array === undefined) return new Float32Array(length);
    this.#held -= array.byteLength;
    return array;
  }

  /** Nobody may read or write it any more. */
  giveBack(array: Float32Array): void {
    if (this.#held + array.byteLength > this.#limit) this.#clear();
    if (array.byteLength > this.#limit) return;
    const free = this.#free.get(array.length);
    if (free === undefined) this.#free.set(array.length, [array]);
    else free.push(array);
    this.#held += array.byteLength;
  }

  #clear(): void {
    this.#free.clear();
    this.#held = 0;
  }
}
