/** How a thread that may hang says what it works on: memory that the watching thread can read. */

import { MAX_INPUT_BYTES } from "./mutator/index.js";

const COUNTER = 0;
const LENGTH = 1;
const HEADER_BYTES = 8;

export function createMailbox(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + MAX_INPUT_BYTES);
}

/** Says which input comes next. */
export function announce(mailbox: SharedArrayBuffer, input: Uint8Array): void {
  const header = new Int32Array(mailbox, 0, 2);
  const shown = input.subarray(0, MAX_INPUT_BYTES);
  new Uint8Array(mailbox, HEADER_BYTES).set(shown);
  Atomics.store(header, LENGTH, shown.length);
  Atomics.add(header, COUNTER, 1);
}

/** Inputs announced so far, modulo 2^32: the same number twice means that nothing moved. */
export function numAnnounced(mailbox: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(mailbox, 0, 2), COUNTER);
}

/** A copy of the input that was announced last. */
export function lastAnnounced(mailbox: SharedArrayBuffer): Uint8Array {
  const length = Atomics.load(new Int32Array(mailbox, 0, 2), LENGTH);
  return Uint8Array.from(new Uint8Array(mailbox, HEADER_BYTES, length));
}
