import type { ServerHttp2Stream } from "node:http2";
import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import { WireError } from "../errors/index.js";
import { MAX_REQUEST_BYTES } from "../limits.js";

/** Time, as much of it as a guard needs; a `Clock` of the runtime is one. */
export interface GuardClock {
  /** Milliseconds since a fixed moment; never goes back. */
  now(): number;
  setTimer(delayMs: number, fire: () => void): { cancel(): void };
}

export interface UnfinishedRequestOptions {
  /** Whose bytes are the request; nothing has been read from it yet. */
  readonly stream: ServerHttp2Stream;
  /** Such as `Join`. */
  readonly name: string;
  /** Whether messages go on to come: then the request is the first of them, and its time is up to who handles it. */
  readonly isStreamed: boolean;
  readonly clock: GuardClock;
  /** Told at most once that the request is too large or too slow. */
  readonly onProblem: (problem: WireError) => void;
}

/** gRPC's prefix of a message: whether it is compressed, and its length in four bytes. */
const PREFIX_BYTES = 5;

/**
 * Watches over a request that is not whole yet, for which grpc-js keeps all that has come of it: as much as the largest
 * message has, for as long as its peer likes, which many calls at once make gigabytes of.
 */
export class UnfinishedRequest {
  readonly #options: UnfinishedRequestOptions;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  readonly #onData = (bytes: Buffer): void => this.#receive(bytes);
  #numBytes = 0;
  #timer: { cancel(): void } | undefined;

  constructor(options: UnfinishedRequestOptions) {
    this.#options = options;
    // Before grpc-js takes in the same bytes; and not by `on`, which would let them flow.
    options.stream.prependListener("data", this.#onData);
    if (!options.isStreamed) this.#wait();
  }

  /** It is whole, or nobody wants it any more. */
  end(): void {
    this.#timer?.cancel();
    this.#options.stream.off("data", this.#onData);
  }

  #wait(): void {
    const { clock } = this.#options;
    const { requestMs } = FIXED_TIMEOUTS;
    const sinceMs = clock.now();
    this.#timer = clock.setTimer(requestMs, () => {
      // This process stood still itself: what came meanwhile is read first.
      if (clock.now() - sinceMs >= 2 * requestMs) this.#wait();
      else this.#fail("deadlineExceeded", `was not whole after ${requestMs / 1000} s`);
    });
  }

  #receive(bytes: Buffer): void {
    const { isStreamed } = this.#options;
    bytes.copy(this.#prefix, Math.min(this.#numBytes, PREFIX_BYTES));
    this.#numBytes += bytes.byteLength;
    if (this.#numBytes < PREFIX_BYTES) return;
    const announced = this.#prefix.readUInt32BE(1);
    // Of a stream the first message alone counts, whatever came right behind it.
    const numBytes = isStreamed ? announced : Math.max(announced, this.#numBytes - PREFIX_BYTES);
    if (numBytes > MAX_REQUEST_BYTES) {
      this.#fail("messageTooLarge", `is larger than ${MAX_REQUEST_BYTES} bytes`);
    } else if (isStreamed) this.end();
  }

  #fail(code: "deadlineExceeded" | "messageTooLarge", what: string): void {
    this.end();
    const { name, isStreamed, onProblem } = this.#options;
    const which = isStreamed ? "the first message" : "the request";
    onProblem(new WireError(code, `${which} of ${name} ${what}`));
  }
}
