/** Arrays of one length. */
interface Shelf {
  free: Float32Array[];
  /** How many are in use, as far as is known: what is taken may never come back. */
  lent: number;
  /** At once, so far. */
  mostLent: number;
}

/**
 * Of the longest array that was asked for: a step has about ten as large at once, the gates and gate gradients of
 * two layers among them, and would take new memory for all of them each time if they did not fit.
 */
const LONGEST_ARRAYS = 16;

/**
 * Arrays that are used again for tensors of the same size: new memory costs as much as some kernels. Of a length
 * it keeps no more than were in use at once: what comes from elsewhere, and nobody asks for, does not pile up.
 */
export class BufferPool {
  readonly #shelves = new Map<number, Shelf>();
  #limit: number;
  #held = 0;

  /** @param limit bytes that wait here at most, or as much as 16 of the longest array */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Of arbitrary contents. */
  take(length: number): Float32Array {
    let shelf = this.#shelves.get(length);
    if (shelf === undefined) {
      shelf = { free: [], lent: 0, mostLent: 0 };
      this.#shelves.set(length, shelf);
      const longest = length * Float32Array.BYTES_PER_ELEMENT;
      this.#limit = Math.max(this.#limit, LONGEST_ARRAYS * longest);
    }
    shelf.lent += 1;
    shelf.mostLent = Math.max(shelf.mostLent, shelf.lent);
    const array = shelf.free.pop();
    if (array === undefined) return new Float32Array(length);
    this.#held -= array.byteLength;
    return array;
  }

  /** Nobody may read or write it any more. */
  giveBack(array: Float32Array): void {
    const shelf = this.#shelves.get(array.length);
    if (shelf === undefined) return;
    shelf.lent = Math.max(0, shelf.lent - 1);
    if (shelf.lent + shelf.free.length >= shelf.mostLent) return;
    if (this.#held + array.byteLength > this.#limit) this.#clear();
    shelf.free.push(array);
    this.#held += array.byteLength;
  }

  #clear(): void {
    for (const shelf of this.#shelves.values()) shelf.free = [];
    this.#held = 0;
  }
}
