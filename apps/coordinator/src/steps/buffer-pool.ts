/** In shared memory, so that every thread reads the same. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}

/** Float32 buffers in shared memory, used again and again: one size, one kind of content. */
export class BufferPool {
  readonly #length: number;
  readonly #free: Float32Array[] = [];
  #numAllocated = 0;

  /** @param length values (not bytes) a buffer holds */
  constructor(length: number) {
    this.#length = length;
  }

  get numAllocated(): number {
    return this.#numAllocated;
  }

  get numFree(): number {
    return this.#free.length;
  }

  /** A buffer with unspecified content. */
  acquire(): Float32Array {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#numAllocated += 1;
    return sharedFloats(this.#length);
  }

  release(buffer: Float32Array): void {
    this.#free.push(buffer);
  }
}
