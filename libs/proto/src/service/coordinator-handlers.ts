import type {
  CoordinatorMessage,
  DataChunk,
  FetchDataRequest,
  JoinReply,
  JoinRequest,
  StatusReply,
  WatchEvent,
  WorkerMessage,
} from "../codec/index.js";
import type { Caller } from "./caller.js";
import type { TrainStream } from "./train-stream.js";

/**
 * What a coordinator does with each call. A WireError thrown, or rejected with, becomes the call's
 * status; any other error becomes `internal` with a generic text.
 */
export interface CoordinatorHandlers {
  join(request: JoinRequest, caller: Caller): Promise<JoinReply>;
  train(stream: TrainStream<WorkerMessage, CoordinatorMessage>, caller: Caller): void;
  /** `signal` aborts when the caller is gone; what is iterated is then returned from. */
  fetchData(request: FetchDataRequest, signal: AbortSignal): AsyncIterable<DataChunk>;
  status(): Promise<StatusReply>;
  watch(signal: AbortSignal): AsyncIterable<WatchEvent>;
}
