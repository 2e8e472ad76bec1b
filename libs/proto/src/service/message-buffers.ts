import { MAX_MESSAGE_BYTES } from "../limits.js";

/** A smaller message costs less than what it would keep. */
const LEAST_REUSED_BYTES = 64 << 10;

/**
 * Buffers that messages are encoded into, again and again: it is new ones that cost, for the system to
 * clear their pages and for the engine to find that nobody has them any more.
 *
 * When one may be given back. grpc-js copies a message behind its own header of 5 bytes: a server's call in
 * `write`, when the messages before it are out; a client's some promises later, and not before it is connected.
 * Both call the callback of `write` when HTTP/2 is done with that copy, or for a message that
 * they dropped and never read: after it nobody reads the buffer. Of a call that ends they call
 * some callbacks never; those buffers are lost to the pool, and collected.
 */
export class MessageBuffers {
  readonly #maxFree: number;
  readonly #free: Buffer[] = [];
  /** What is taken and not given back, unless it was forgotten. */
  readonly #taken = new WeakSet<ArrayBufferLike>();

  /** @param maxFree how many buffers of `MAX_MESSAGE_BYTES` are kept while nobody needs them */
  constructor(maxFree: number) {
    this.#maxFree = maxFree;
  }

  /** @returns a buffer of this length, with any content */
  take(numBytes: number): Buffer {
    if (numBytes < LEAST_REUSED_BYTES || numBytes > MAX_MESSAGE_BYTES) {
      return Buffer.allocUnsafe(numBytes);
    }
    // Not `allocUnsafe`, and for any message of the whole length: pages never written to take no memory.
    const whole = this.#free.pop() ?? Buffer.allocUnsafeSlow(MAX_MESSAGE_BYTES);
    this.#taken.add(whole.buffer);
    return whole.subarray(0, numBytes);
  }

  /** @param bytes of `take`, which nobody reads any more; any others are left alone */
  giveBack(bytes: Buffer): void {
    if (!this.#taken.delete(bytes.buffer) || this.#free.length >= this.#maxFree) return;
    this.#free.push(Buffer.from(bytes.buffer));
  }
}
