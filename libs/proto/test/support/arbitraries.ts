import fc from "fast-check";

import type {
  CoordinatorMessage,
  DataChunk,
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
  TensorFrame,
  TransferKind,
  WatchEvent,
  WorkerMessage,
} from "../../src/codec/index.js";

const uint32 = fc.oneof(
  fc.nat(300),
  fc.constant(0xffff_ffff),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);
const double = fc.double();
/** What `onOneLine` leaves as it is. */
const line = fc
  .string({ unit: "grapheme", maxLength: 40 })
  .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]|\s$/u.test(text));
const id = line.filter((text) => text !== "");
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const node: fc.Arbitrary<NodeId> = fc
  .tuple(fc.nat(10), fc.nat(1000))
  .map(([level, index]) => ({ firstLeaf: index * 2 ** level, numLeaves: 2 ** level }));
const profile: fc.Arbitrary<NumericsProfile> = fc.record({ backend: id, version: id, digest: id });
const json = fc.json();

const sparseRows: fc.Arbitrary<SparseRows> = fc.record({
  rowValues: uint32.filter((values) => values > 0),
  numRows: uint32.filter((rows) => rows > 0),
  mask: fc.uint8Array({ maxLength: 40 }),
});
const frame: fc.Arbitrary<TensorFrame> = fc.record({
  transfer: uint32,
  transferKind: fc.constantFrom<TransferKind>(
    ...(["parameters", "gradient", "carriedState", "moments", "statistics"] as const),
  ),
  leaf: uint32,
  firstValue: uint32,
  payload: fc.uint8Array({ maxLength: 200 }),
  crc32: uint32,
  rows: fc.option(sparseRows, { nil: undefined }),
  valueFormat: fc.option(fc.constant("bfloat16" as const), { nil: undefined }),
});
const leafResult: fc.Arbitrary<LeafResult> = fc.record({
  leaf: uint32,
  lossSum: double,
  lossWeight: double,
  numSamples: uint32,
  sampleDigest: digest,
});
const lease: fc.Arbitrary<Lease> = fc.record({
  fence: uint32,
  leaseKind: fc.constantFrom<Lease["leaseKind"]>("train", "evaluate"),
  step: uint32,
  version: uint32,
  epoch: uint32,
  epochStep: uint32,
  nodes: fc.array(node),
  leaves: fc.array(
    fc.record({ leaf: uint32, state: fc.constantFrom<LeafLease["state"]>("zero", "held", "sent") }),
  ),
  split: line,
  transfer: uint32,
  lossWeightTotals: fc.array(double),
});
const segmentFrame = fc.record({
  transfer: uint32,
  segment: uint32.filter((segment) => segment > 0),
  firstValue: uint32,
  numValues: uint32.filter((count) => count > 0),
  crc32: uint32,
});
const workerStatus = fc.record({
  workerId: id,
  name: line,
  state: line,
  leaves: fc.array(uint32),
  phase: line,
  sinceProgressMs: uint32,
  hereSeconds: double,
  samplesPerSecond: double,
});

export const joinRequests: fc.Arbitrary<JoinRequest> = fc.record({
  protocolVersion: uint32,
  workerName: line,
  profiles: fc.array(profile, { minLength: 1 }),
});

export const joinReplies: fc.Arbitrary<JoinReply> = fc.record({
  workerId: id,
  jobId: id,
  incarnation: uint32,
  profile,
  configJson: json,
  modelJson: json,
  dataDigest: id,
  deadlineMs: uint32.filter((ms) => ms > 0),
  streamToken: id,
  segmentFolder: line,
});

export const workerMessages: fc.Arbitrary<WorkerMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("attach" as const),
    workerId: id,
    streamToken: id,
    sharesMemory: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("uploadBegin" as const),
    transfer: uint32,
    jobId: id,
    incarnation: uint32,
    step: uint32,
    fence: uint32,
    node,
  }),
  fc.record({ kind: fc.constant("frame" as const), frame }),
  fc.record({ kind: fc.constant("segmentFrame" as const), frame: segmentFrame }),
  fc.record({
    kind: fc.constant("uploadEnd" as const),
    transfer: uint32,
    leaves: fc.array(leafResult),
    numFrames: uint32,
    checksum: uint32,
  }),
  fc.record({
    kind: fc.constant("evaluationResult" as const),
    jobId: id,
    incarnation: uint32,
    step: uint32,
    fence: uint32,
    leaves: fc.array(leafResult),
  }),
  fc.record({
    kind: fc.constant("progress" as const),
    fence: uint32,
    phase: fc.constantFrom<Phase>("prepare", "forward", "backward", "upload", "evaluate"),
    timeSteps: uint32,
  }),
  fc.record({ kind: fc.constant("heartbeat" as const) }),
  fc.record({ kind: fc.constant("returnLeases" as const), reason: line }),
  fc.record({ kind: fc.constant("leaseEnded" as const), fence: uint32, error: line }),
);

export const coordinatorMessages: fc.Arbitrary<CoordinatorMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("parameters" as const),
    transfer: uint32,
    version: uint32,
    numFrames: uint32,
    digest,
  }),
  fc.record({ kind: fc.constant("frame" as const), frame }),
  fc.record({ kind: fc.constant("segmentFrame" as const), frame: segmentFrame }),
  fc.record({ kind: fc.constant("lease" as const), lease }),
  fc.record({ kind: fc.constant("revoke" as const), fence: uint32, reason: line }),
  fc.record({ kind: fc.constant("uploadRejected" as const), fence: uint32, node, reason: line }),
  fc.record({ kind: fc.constant("stop" as const), failed: fc.boolean(), reason: line }),
);

export const dataChunks: fc.Arbitrary<DataChunk> = fc
  .tuple(fc.uint8Array({ maxLength: 100 }), fc.nat(1000), fc.nat(1000), uint32)
  .map(([payload, offset, rest, crc32]) => ({
    offset,
    totalBytes: offset + payload.byteLength + rest,
    payload,
    crc32,
  }));

export const statusReplies: fc.Arbitrary<StatusReply> = fc.record({
  jobId: id,
  incarnation: uint32,
  state: line,
  step: uint32,
  totalSteps: uint32,
  epoch: uint32,
  loss: double,
  workers: fc.array(workerStatus),
  waitingFor: line,
  runDirectory: line,
  metricsAddress: line,
  deadlineMs: uint32,
  stalled: fc.boolean(),
  minWorkers: uint32,
  samplesPerSecond: double,
  secondsLeft: double,
  numLeaves: uint32,
  leavesDone: uint32,
  roundSeconds: double,
  checkpointAgeSeconds: double,
});

export const watchEvents: fc.Arbitrary<WatchEvent> = fc.oneof(
  fc.record({
    kind: fc.constant("step" as const),
    step: uint32,
    totalSteps: uint32,
    epoch: uint32,
    loss: double,
    learningRate: double,
    gradientNorm: double,
    samplesPerSecond: double,
    workers: uint32,
    secondsLeft: double,
    skipped: fc.boolean(),
    replayed: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("evaluation" as const),
    step: uint32,
    split: id,
    loss: double,
    best: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("notice" as const),
    level: fc.constantFrom<"info" | "warn">("info", "warn"),
    text: line,
  }),
  fc.record({
    kind: fc.constant("ended" as const),
    outcome: fc.constantFrom<"completed" | "stopped" | "failed">("completed", "stopped", "failed"),
    reason: line,
    step: uint32,
    parametersSha256: line,
  }),
);
