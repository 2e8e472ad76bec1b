import { dataChunkCodec, fetchDataRequestCodec } from "./data-codec.js";
import { joinReplyCodec, joinRequestCodec } from "./join-codec.js";
import { coordinatorMessageCodec, workerMessageCodec } from "./train-codec.js";
import {
  statusReplyCodec,
  statusRequestCodec,
  watchEventCodec,
  watchRequestCodec,
} from "./watch-codec.js";

/** The codec of each message of the service that travels by itself, under the name in the .proto file. */
export const WIRE_CODECS = {
  JoinRequest: joinRequestCodec,
  JoinReply: joinReplyCodec,
  WorkerMessage: workerMessageCodec,
  CoordinatorMessage: coordinatorMessageCodec,
  FetchDataRequest: fetchDataRequestCodec,
  DataChunk: dataChunkCodec,
  StatusRequest: statusRequestCodec,
  StatusReply: statusReplyCodec,
  WatchRequest: watchRequestCodec,
  WatchEvent: watchEventCodec,
} as const;
