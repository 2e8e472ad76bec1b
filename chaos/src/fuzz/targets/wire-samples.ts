/** One message of each kind, with every field set. */

import type {
  CoordinatorMessage,
  NumericsProfile,
  TensorFrame,
  WatchEvent,
  WorkerMessage,
} from "@ostinato/proto";
import { crc32 } from "node:zlib";

const digest = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const profile: NumericsProfile = { backend: "native", version: "1.2", digest: "ab".repeat(32) };
const node = { firstLeaf: 4, numLeaves: 4 };
const leaf = { leaf: 4, lossSum: 12.5, lossWeight: 8, numSamples: 8, sampleDigest: digest };
const config = { seed: 1, training: { batchSize: 8 } };

export const joinRequest = {
  protocolVersion: 1,
  workerName: "here:17",
  profiles: [profile, profile],
};
export const joinReply = {
  ...{ workerId: "worker-1", jobId: "job-1", incarnation: 2, profile, deadlineMs: 30_000 },
  ...{ configJson: JSON.stringify(config), modelJson: '{"kind":"languageModel","hiddenSize":8}' },
  ...{
    dataDigest: "cd".repeat(32),
    streamToken: "token",
    segmentFolder: `ostinato-17-${"0".repeat(32)}`,
  },
};

const payload = Uint8Array.from({ length: 16 }, (_, i) => i);
const dense = { transfer: 3, leaf: 0, firstValue: 8, payload, crc32: crc32(payload) };
const mask = Uint8Array.of(0b101);

/** Of every kind and form. */
export const frames: readonly TensorFrame[] = [
  { ...dense, transferKind: "parameters" },
  { ...dense, transferKind: "gradient" },
  { ...dense, transferKind: "gradient", valueFormat: "bfloat16" },
  {
    ...{ ...dense, transferKind: "gradient", crc32: crc32(payload, crc32(mask)) },
    rows: { rowValues: 2, numRows: 3, mask },
  },
  { ...dense, transferKind: "carriedState", leaf: 2 },
  { ...dense, transferKind: "moments", leaf: 2 },
  { ...dense, transferKind: "statistics" },
];
const segmentFrame = { transfer: 3, segment: 1, firstValue: 8, numValues: 4, crc32: 5 };

export const workerMessages: readonly WorkerMessage[] = [
  { kind: "attach", workerId: "worker-1", streamToken: "token", sharesMemory: true },
  { kind: "uploadBegin", transfer: 3, jobId: "job-1", incarnation: 2, step: 5, fence: 6, node },
  ...frames.map((frame) => ({ kind: "frame", frame }) as const),
  { kind: "segmentFrame", frame: segmentFrame },
  { kind: "uploadEnd", transfer: 3, leaves: [leaf, leaf], numFrames: 1, checksum: 9 },
  { kind: "evaluationResult", jobId: "job-1", incarnation: 2, step: 5, fence: 6, leaves: [leaf] },
  { kind: "progress", fence: 6, phase: "backward", timeSteps: 12 },
  { kind: "returnLeases", reason: "SIGTERM" },
  { kind: "leaseEnded", fence: 6, error: "out of memory" },
];

export const coordinatorMessages: readonly CoordinatorMessage[] = [
  { kind: "parameters", transfer: 3, version: 7, numFrames: 2, digest },
  ...frames.map((frame) => ({ kind: "frame", frame }) as const),
  { kind: "segmentFrame", frame: segmentFrame },
  {
    kind: "lease",
    lease: {
      ...{ fence: 6, leaseKind: "train", step: 5, version: 7, epoch: 1, epochStep: 2, split: "" },
      ...{
        nodes: [node],
        leaves: [
          { leaf: 4, state: "zero" },
          { leaf: 5, state: "sent" },
        ],
      },
      ...{ transfer: 3, lossWeightTotals: [64, 0.5] },
    },
  },
  { kind: "revoke", fence: 6, reason: "late" },
  { kind: "uploadRejected", fence: 6, node, reason: "checksum" },
  { kind: "stop", failed: true, reason: "over" },
];

export const dataChunk = { offset: 4, totalBytes: 20, payload, crc32: crc32(payload) };

export const statusReply = {
  ...{
    jobId: "job-1",
    incarnation: 2,
    state: "training",
    step: 5,
    totalSteps: 9,
    epoch: 1,
    loss: 2.5,
  },
  workers: [
    {
      workerId: "worker-1",
      name: "here:17",
      state: "idle",
      leaves: [1, 2],
      phase: "forward",
      sinceProgressMs: 4,
      ...{ hereSeconds: 9, samplesPerSecond: 6.5 },
    },
  ],
  ...{
    waitingFor: "leaf 3",
    ...{ stalled: true, minWorkers: 1, samplesPerSecond: 12.5, secondsLeft: 3 },
    ...{ numLeaves: 8, leavesDone: 3, roundSeconds: 0.5, checkpointAgeSeconds: 9 },
    runDirectory: "runs/a",
    metricsAddress: "127.0.0.1:9464",
    deadlineMs: 30_000,
  },
};

export const watchEvents: readonly WatchEvent[] = [
  {
    ...{
      kind: "step",
      step: 5,
      totalSteps: 9,
      epoch: 1,
      loss: 2.5,
      learningRate: 0.1,
      gradientNorm: 3,
    },
    ...{ samplesPerSecond: 100, workers: 2, secondsLeft: 4, skipped: false, replayed: true },
  },
  { kind: "evaluation", step: 5, split: "validation", loss: 2.25, best: true },
  { kind: "notice", level: "warn", text: "a worker is late" },
  {
    kind: "ended",
    outcome: "completed",
    reason: "done",
    step: 9,
    parametersSha256: "ef".repeat(32),
  },
];
