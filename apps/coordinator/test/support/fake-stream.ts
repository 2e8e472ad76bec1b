import type { CoordinatorMessage, TrainStream, WireError, WorkerMessage } from "@ostinato/proto";

/** The coordinator's side of a Train call whose worker is the test. */
export class FakeStream implements TrainStream<WorkerMessage, CoordinatorMessage> {
  readonly peer = "127.0.0.1:1";
  readonly queuedBytes = 0;
  readonly sent: CoordinatorMessage[] = [];
  /** How this side ended it, if it did. */
  ended: { readonly error: WireError | undefined } | undefined;
  /** Set: the peer takes nothing more, and `drained` waits. */
  isStuck = false;
  /** Called with each message after it was sent. */
  onSent: (message: CoordinatorMessage) => void = () => undefined;
  readonly #waiting: (() => void)[] = [];
  #take: (message: WorkerMessage) => void = () => undefined;
  #closed: (error: WireError | undefined) => void = () => undefined;

  get messages(): AsyncIterable<WorkerMessage> {
    throw new Error("not used");
  }

  send(message: CoordinatorMessage): boolean {
    if (this.ended !== undefined) return false;
    // As on a wire: what is sent does not change when its buffers do.
    const copy = structuredClone(message);
    this.sent.push(copy);
    queueMicrotask(() => {
      this.onSent(copy);
    });
    return !this.isStuck;
  }

  drained(): Promise<void> {
    return this.isStuck ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** The peer takes what waits, and everything after it. */
  unstick(): void {
    this.isStuck = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  onMessage(take: (message: WorkerMessage) => void): void {
    this.#take = take;
  }

  onClosed(closed: (error: WireError | undefined) => void): void {
    this.#closed = closed;
  }

  pause(): void {}

  resume(): void {}

  end(error?: WireError): void {
    this.ended ??= { error };
  }

  cancel(): void {
    this.ended ??= { error: undefined };
  }

  /** A message of the worker's. */
  deliver(message: WorkerMessage): void {
    this.#take(message);
  }

  /** The connection is gone. */
  drop(error?: WireError): void {
    this.#closed(error);
  }
}
