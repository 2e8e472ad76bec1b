/** The part of a coordinator client that a session uses; @ostinato/proto's client has all of it. */

import type {
  CoordinatorMessage,
  DataChunk,
  JoinReply,
  JoinRequest,
  WorkerMessage,
} from "@ostinato/proto";

/** One Train call. Sending after its end is a silent no-op: the end is told by `messages`. */
export interface TrainStream {
  send(message: WorkerMessage): void;
  /** Resolves when there is room for more; rejects when the stream has failed. */
  drained(): Promise<void>;
  /** Ends when the coordinator ends the stream, throws when it fails. Iterated once. */
  readonly messages: AsyncIterable<CoordinatorMessage>;
  /** Nothing more will be sent; what was sent still goes out. */
  end(): void;
  /** Gives the call up. */
  cancel(): void;
}

export interface CoordinatorLink {
  join(
    request: JoinRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<JoinReply>;
  fetchData(digest: string): AsyncIterable<DataChunk>;
  train(): TrainStream;
  close(): void;
}
