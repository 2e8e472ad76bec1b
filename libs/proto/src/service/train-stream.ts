import type { WireError } from "../errors/index.js";

/**
 * One side of an open Train call. A worker has TrainStream<CoordinatorMessage, WorkerMessage>, a
 * coordinator TrainStream<WorkerMessage, CoordinatorMessage>.
 *
 * Messages arrive in the order sent, whole, and decoded; nothing is read from the wire before the
 * first `onMessage` (or the iteration of `messages`).
 */
export interface TrainStream<In, Out> {
  /** Who is at the other end, such as `127.0.0.1:50412`. */
  readonly peer: string;
  /** Encoded bytes sent here and not yet taken by the transport. */
  readonly queuedBytes: number;
  /**
   * Encodes and queues one message. The message is copied: its buffers may be reused at once.
   *
   * @returns true if there is room for more, false if the caller should wait for `drained` first.
   *   On a closed or ended stream nothing is sent, and the answer is false.
   * @throws {WireError} `badMessage` or `messageTooLarge`, when the message cannot be sent at all
   */
  send(message: Out): boolean;
  /** Resolves when there is room for more, or the stream ended well; rejects when it failed. */
  drained(): Promise<void>;
  /** Sets who takes the messages; a later call takes over from an earlier one. */
  onMessage(take: (message: In) => void): void;
  /**
   * Calls `closed` once, when no message will come any more: with nothing after a regular end, with
   * the error after any other. Every one registered is called, also if the stream is closed already.
   */
  onClosed(closed: (error: WireError | undefined) => void): void;
  /** The same messages to iterate over once, instead of `onMessage`; throws when the stream fails. */
  readonly messages: AsyncIterable<In>;
  /** Stops taking messages; what the peer sends meanwhile fills the flow-control window and waits. */
  pause(): void;
  resume(): void;
  /**
   * Sends what is queued, then ends this side. A server's end is the end of the call, and `error`
   * its status. A worker's end asks the coordinator to end too; its `error` gives the call up.
   */
  end(error?: WireError): void;
  /** Gives the call up at once; what is queued may be lost. */
  cancel(): void;
}
