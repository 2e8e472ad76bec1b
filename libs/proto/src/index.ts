/**
 * The wire: messages as plain values, tensors in checksummed frames, errors with codes, and the
 * coordinator's service over gRPC from both sides. Protobuf's generated classes never leave it.
 *
 * @example A coordinator
 * const server = createServer();
 * implementCoordinator(server, handlers);
 * const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
 *
 * @example A worker
 * const client = createCoordinatorClient(address);
 * const identity = await client.join({ protocolVersion: PROTOCOL_VERSION, workerName, profiles });
 * const stream = client.train();
 * stream.onMessage((message) => { … });
 * const { workerId, streamToken } = identity;
 * stream.send({ kind: "attach", workerId, streamToken, sharesMemory: false });
 */
export type { Role } from "./access/index.js";
export { isSameSecret, readTokenFile, roleOf, Tokens } from "./access/index.js";
export type {
  Address,
  BindOptions,
  ChannelSettings,
  Endpoint,
  Health,
  ListenRule,
  ServerSettings,
} from "./channel/index.js";
export {
  addHealth,
  bindServer,
  createServer,
  formatAddress,
  formatEndpoint,
  isLocal,
  isLoopback,
  isSocketAnswering,
  parseAddress,
  parseEndpoint,
  requireLoopback,
} from "./channel/index.js";
export type {
  Codec,
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
  SegmentFrame,
  SparseRows,
  StatusReply,
  TensorFrame,
  TransferKind,
  UploadRejection,
  WatchEvent,
  WorkerMessage,
  WorkerStatus,
} from "./codec/index.js";
export { UPLOAD_REJECTIONS, WIRE_CODECS } from "./codec/index.js";
export type { WireErrorCode } from "./errors/index.js";
export { onOneLine, WireError } from "./errors/index.js";
export {
  bytesOfFrame,
  carriedBytes,
  checkFrame,
  checksumOfFrames,
  computeCrc32By,
  crc32,
  crcOfFrame,
  digestOfFrames,
  digestOfVersion,
  encodeFrames,
  encodeGradientFrames,
  FRAME_CARRIERS,
  framesOfVersion,
  readFrameInto,
  scanRows,
} from "./frames/index.js";
export type {
  Crc32,
  DoubleKind,
  FrameCarrier,
  GradientValues,
  ValuesOf,
  VersionValues,
} from "./frames/index.js";
export type { GuardClock, Rate, Refusal, ServerGuard, ServerGuardOptions } from "./guard/index.js";
export { createServerGuard, REFUSAL_REASONS, TokenBucket } from "./guard/index.js";
export { MAX_FRAME_BYTES, MAX_REQUEST_BYTES, PEER_LIMITS, PROTOCOL_VERSION } from "./limits.js";
export { WatchedFiles } from "./secret-files/index.js";
export type { SegmentFolder, SegmentOwner } from "./segments/index.js";
export {
  createSegmentFolder,
  findSegmentFolder,
  gradientSegment,
  MAX_GRADIENT_SEGMENTS,
  parametersSegment,
  removeLeftSegmentFolders,
  removeSegmentFolder,
  SegmentFiles,
  SegmentReader,
  writeSegmentFrame,
} from "./segments/index.js";
export type {
  Caller,
  CallOptions,
  ClientSecurity,
  ClientSettings,
  CoordinatorClient,
  CoordinatorHandlers,
  ImplementOptions,
  TrainStream,
} from "./service/index.js";
export { COORDINATOR_SERVICE } from "./service-name.js";
export { createCoordinatorClient, implementCoordinator, untilAborted } from "./service/index.js";
export type { ClientTlsFiles, ServerTlsFiles, ServerTlsModules } from "./tls/index.js";
export { ServerTls } from "./tls/index.js";
