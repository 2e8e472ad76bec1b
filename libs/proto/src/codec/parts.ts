/** The messages that other messages are made of. */

import { ostinato } from "../../generated/coordinator.js";
import { MAX_FRAME_BYTES, MAX_FRAME_ROWS } from "../limits.js";
import { list, optional, record } from "./composites.js";
import type {
  LeafLease,
  LeafResult,
  Lease,
  NodeId,
  NumericsProfile,
  SegmentFrame,
  SparseRows,
  TensorFrame,
  TransferKind,
  WorkerStatus,
} from "./messages.js";
import {
  bytesOfSize,
  bytesUpTo,
  enumeration,
  enumerationOrNone,
  float64,
  identifier,
  prose,
  text,
  uint32,
} from "./scalars.js";

const { LeaseKind, StateSource, TransferKind: WireTransferKind, ValueFormat } = ostinato.v1;

const SHA256_BYTES = 32;

export const sha256 = bytesOfSize(SHA256_BYTES);

export const numericsProfile = record<NumericsProfile, ostinato.v1.NumericsProfile.$Properties>({
  backend: identifier,
  version: identifier,
  digest: identifier,
});

export const nodeId = record<NodeId, ostinato.v1.Node.$Properties>(
  { firstLeaf: uint32(), numLeaves: uint32(1) },
  ({ firstLeaf, numLeaves }) => {
    if (!Number.isInteger(Math.log2(numLeaves))) {
      return `has ${numLeaves} leaves; it must have a power of two`;
    }
    return firstLeaf % numLeaves === 0
      ? undefined
      : `begins at leaf ${firstLeaf}; it must begin at a multiple of its ${numLeaves} leaves`;
  },
);

const sparseRows = record<SparseRows, ostinato.v1.SparseRows.$Properties>({
  rowValues: uint32(1),
  numRows: uint32(1),
  mask: bytesUpTo(MAX_FRAME_ROWS / 8, "frameTooLarge"),
});

export const tensorFrame = record<TensorFrame, ostinato.v1.TensorFrame.$Properties>({
  transfer: uint32(),
  transferKind: enumeration<TransferKind, ostinato.v1.TransferKind>({
    parameters: WireTransferKind.PARAMETERS,
    gradient: WireTransferKind.GRADIENT,
    carriedState: WireTransferKind.CARRIED_STATE,
    moments: WireTransferKind.MOMENTS,
    statistics: WireTransferKind.STATISTICS,
  }),
  leaf: uint32(),
  firstValue: uint32(),
  payload: bytesUpTo(MAX_FRAME_BYTES, "frameTooLarge"),
  crc32: uint32(),
  rows: optional(sparseRows),
  valueFormat: enumerationOrNone<"bfloat16", ostinato.v1.ValueFormat>(
    { bfloat16: ValueFormat.BFLOAT16 },
    ValueFormat.VALUE_FORMAT_OF_KIND,
  ),
});

export const segmentFrame = record<SegmentFrame, ostinato.v1.SegmentFrame.$Properties>({
  transfer: uint32(),
  segment: uint32(1),
  firstValue: uint32(),
  numValues: uint32(1),
  crc32: uint32(),
});

export const leafResult = record<LeafResult, ostinato.v1.LeafResult.$Properties>({
  leaf: uint32(),
  lossSum: float64,
  lossWeight: float64,
  numSamples: uint32(),
  sampleDigest: sha256,
});

const leafLease = record<LeafLease, ostinato.v1.LeafLease.$Properties>({
  leaf: uint32(),
  state: enumeration<LeafLease["state"], ostinato.v1.StateSource>({
    zero: StateSource.ZERO,
    held: StateSource.HELD,
    sent: StateSource.SENT,
  }),
});

export const lease = record<Lease, ostinato.v1.Lease.$Properties>({
  fence: uint32(),
  leaseKind: enumeration<Lease["leaseKind"], ostinato.v1.LeaseKind>({
    train: LeaseKind.TRAIN,
    evaluate: LeaseKind.EVALUATION,
  }),
  step: uint32(),
  version: uint32(),
  epoch: uint32(),
  epochStep: uint32(),
  nodes: list(nodeId),
  leaves: list(leafLease),
  split: text,
  transfer: uint32(),
  lossWeightTotals: list(float64),
});

export const workerStatus = record<WorkerStatus, ostinato.v1.WorkerStatus.$Properties>({
  workerId: identifier,
  name: prose,
  state: text,
  leaves: list(uint32()),
  phase: text,
  sinceProgressMs: uint32(),
  hereSeconds: float64,
  samplesPerSecond: float64,
});
