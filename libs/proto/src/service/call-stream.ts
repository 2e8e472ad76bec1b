import type { Codec } from "../codec/index.js";
import { fromStatus, onOneLine, WireError } from "../errors/index.js";
import type { MessageBuffers } from "./message-buffers.js";
import { iterateMessages } from "./message-iterator.js";
import type { TrainStream } from "./train-stream.js";

/** `send` asks to wait above the first, `drained` resolves at the second. */
const HIGH_WATER_BYTES = 4 << 20;
const LOW_WATER_BYTES = 2 << 20;

/** What a CallStream needs of one side of a grpc-js call, in bytes. */
export interface ByteCall {
  /** `taken` is called when nobody reads `bytes` any more, or never. */
  write(bytes: Buffer, taken: () => void): void;
  /** Lets the peer's messages flow; called once. */
  read(receive: (bytes: Buffer) => void): void;
  pause(): void;
  resume(): void;
  /** See TrainStream.end. */
  end(error: WireError | undefined): void;
  /** See TrainStream.cancel. */
  cancel(): void;
}

/**
 * A TrainStream over one side of a grpc-js call:
 * - `open`: messages go both ways
 * - `ended`: nothing more is sent from here; what comes is still taken, unless the end had an error
 * - `closed`: nothing more comes
 */
export class CallStream<In, Out> implements TrainStream<In, Out> {
  readonly peer: string;
  readonly #call: ByteCall;
  readonly #codecs: { readonly incoming: Codec<In>; readonly outgoing: Codec<Out> };
  readonly #buffers: MessageBuffers;
  readonly #onFault: (error: unknown) => void;
  #state: "open" | "ended" | "closed" = "open";
  #failure: WireError | undefined;
  #queuedBytes = 0;
  #take: ((message: In) => void) | undefined;
  #closedListeners: ((error: WireError | undefined) => void)[] = [];
  #drainWaiters: { resolve: () => void; reject: (error: WireError) => void }[] = [];

  /**
   * @param buffers that messages are encoded into; streams may share them
   * @param onFault told of what the taker of a message threw: a fault of this process, not the peer's
   */
  constructor(
    peer: string,
    call: ByteCall,
    codecs: { readonly incoming: Codec<In>; readonly outgoing: Codec<Out> },
    buffers: MessageBuffers,
    onFault: (error: unknown) => void = () => undefined,
  ) {
    this.peer = peer;
    this.#call = call;
    this.#codecs = codecs;
    this.#buffers = buffers;
    this.#onFault = onFault;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get messages(): AsyncIterable<In> {
    return iterateMessages(this);
  }

  /** Whether messages flow, so that the end of the flow will be seen. */
  get isReading(): boolean {
    return this.#take !== undefined;
  }

  send(message: Out): boolean {
    if (this.#state !== "open") return false;
    const buffers = this.#buffers;
    const bytes = this.#codecs.outgoing.encode(message, (numBytes) => buffers.take(numBytes));
    this.#queuedBytes += bytes.byteLength;
    this.#call.write(bytes, () => {
      buffers.giveBack(bytes);
      if (this.#state === "closed") return;
      this.#queuedBytes -= bytes.byteLength;
      this.#settleDrained();
    });
    return this.#queuedBytes <= HIGH_WATER_BYTES;
  }

  drained(): Promise<void> {
    if (this.#state === "closed") {
      return this.#failure === undefined ? Promise.resolve() : Promise.reject(this.#failure);
    }
    if (this.#queuedBytes <= LOW_WATER_BYTES) return Promise.resolve();
    return new Promise((resolve, reject) => this.#drainWaiters.push({ resolve, reject }));
  }

  onMessage(take: (message: In) => void): void {
    const isFirst = this.#take === undefined;
    this.#take = take;
    if (isFirst && this.#state !== "closed") this.#call.read((bytes) => this.#receive(bytes));
  }

  onClosed(closed: (error: WireError | undefined) => void): void {
    if (this.#state === "closed") queueMicrotask(() => closed(this.#failure));
    else this.#closedListeners.push(closed);
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  end(error?: WireError): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#failure = error;
    this.#call.end(error);
  }

  cancel(): void {
    if (this.#state === "closed") return;
    this.#failure ??= new WireError("cancelled", "the stream was given up on this side");
    this.#state = "ended";
    this.#call.cancel();
  }

  /** For the owner of the call: no message comes any more. The first error counts. */
  closed(error: WireError | undefined): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#failure ??= error;
    this.#queuedBytes = 0;
    this.#settleDrained();
    const listeners = this.#closedListeners;
    this.#closedListeners = [];
    for (const listener of listeners) listener(this.#failure);
  }

  #receive(bytes: Buffer): void {
    if (this.#state === "closed" || this.#failure !== undefined) return;
    let message: In;
    try {
      message = this.#codecs.incoming.decode(bytes);
    } catch (error) {
      this.#fail(fromStatus(error));
      return;
    }
    try {
      this.#take?.(message);
    } catch (error) {
      this.#onFault(error);
      // Whatever it was, also a WireError of a message of our own: the peer is not to blame.
      this.#fail(new WireError("internal", onOneLine(String(error)), { cause: error }));
    }
  }

  /** Ends the call because of a message that cannot be taken, also when this side has ended. */
  #fail(error: WireError): void {
    if (this.#state === "open") this.end(error);
    else {
      this.#failure ??= error;
      this.#call.cancel();
    }
  }

  #settleDrained(): void {
    if (this.#state !== "closed" && this.#queuedBytes > LOW_WATER_BYTES) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const { resolve, reject } of waiters) {
      if (this.#state === "closed" && this.#failure !== undefined) reject(this.#failure);
      else resolve();
    }
  }
}
