/**
 * The messages as plain values, and their bytes. Here hostile bytes become typed errors, and here
 * protobuf's generated classes end: nothing outside this room sees one.
 *
 * @example
 * const bytes = workerMessageCodec.encode({ kind: "returnLeases", reason: "SIGTERM" });
 * const message = workerMessageCodec.decode(bytes);
 */
export type { Codec } from "./codec.js";
export { WIRE_CODECS } from "./wire-codecs.js";
export { dataChunkCodec, fetchDataRequestCodec } from "./data-codec.js";
export { joinReplyCodec, joinRequestCodec } from "./join-codec.js";
export type {
  CoordinatorMessage,
  DataChunk,
  FetchDataRequest,
  JoinReply,
  JoinRequest,
  LeafLease,
  LeafResult,
  Lease,
  NodeId,
  NumericsProfile,
  Phase,
  SparseRows,
  StatusReply,
  SegmentFrame,
  TensorFrame,
  TransferKind,
  UploadRejection,
  WatchEvent,
  WorkerMessage,
  WorkerStatus,
} from "./messages.js";
export { UPLOAD_REJECTIONS } from "./messages.js";
export { coordinatorMessageCodec, workerMessageCodec } from "./train-codec.js";
export {
  statusReplyCodec,
  statusRequestCodec,
  watchEventCodec,
  watchRequestCodec,
} from "./watch-codec.js";
