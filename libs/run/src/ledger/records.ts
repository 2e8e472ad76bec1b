/** The ledger's records, and their shape when read back. */

import { z } from "zod";

import type { RunModelSpec } from "../data/index.js";

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const index = z.int().nonnegative();
/** JSON has no NaN: null stands for a sum that was not finite. */
const sum = z.number().nullable();

const leafEntry = z.strictObject({
  leaf: index,
  samples: index,
  weight: z.number(),
  loss: sum,
  /** The digest of the samples that were really computed. */
  digest: hex64,
});

/** A node of the gradient tree that was admitted: leaves `first` to `first + count - 1`. */
const nodeEntry = z.strictObject({
  first: index,
  count: z.int().positive(),
  worker: z.string(),
  fence: index,
});

/** A lease that came to nothing. */
const lostEntry = z.strictObject({
  worker: z.string(),
  fence: index,
  leaves: z.array(index).readonly(),
  reason: z.string(),
});

/** `numerics.determinism` from here on: a later resume may ask for the other one. */
const determinism = z.enum(["strict", "relaxed"]);

/** Of the ledger, and so of the run: what its first line names. */
export const LEDGER_FORMAT = 1;

const runRecord = z.strictObject({
  type: z.literal("run"),
  format: z.literal(LEDGER_FORMAT),
  job: z.string().min(1),
  /** See `trajectoryDigest`. */
  trajectory: hex64,
  /** Digest of the encoded data set. */
  data: hex64,
  // Written by the program that compiled it; the chain guards it from there.
  model: z.custom<RunModelSpec>((value) => typeof value === "object" && value !== null),
  /** Digest of the frames of the initial parameters and running statistics. */
  parameters: hex64,
  determinism,
});

const profileRecord = z.strictObject({
  type: z.literal("profile"),
  backend: z.string(),
  version: z.string(),
  digest: z.string(),
});

const stepRecord = z.strictObject({
  type: z.literal("step"),
  /** 1-based: the parameter version after it. */
  step: z.int().positive(),
  /** 0-based. */
  epoch: index,
  /** 0-based. */
  epochStep: index,
  samples: index,
  /** Float64 sum over the leaves in ascending order. */
  lossSum: sum,
  lossWeight: z.number(),
  /**
   * lossSum / lossWeight, in the unit of the model's loss; null for a step none of whose targets counts:
   * its loss weight is 0, and its gradient too.
   */
  loss: sum,
  learningRate: z.number(),
  /** Of the averaged gradient, before clipping. */
  gradientNorm: sum,
  clipped: z.boolean(),
  /**
   * A step is skipped as soon as one result is known not to be finite; what else was in by then depends on
   * timing. So a skipped step has no nodes and leaves, 0 samples and loss weight, null for the loss, its
   * sum and the gradient norm, and was not clipped.
   */
  skipped: z.literal("nonFinite").nullable(),
  /** Digest of the frames of the parameters and running statistics after the step. */
  parameters: hex64,
  nodes: z.array(nodeEntry.readonly()).readonly(),
  leaves: z.array(leafEntry.readonly()).readonly(),
  lost: z.array(lostEntry.readonly()).readonly(),
});

const evaluationRecord = z.strictObject({
  type: z.literal("evaluation"),
  /** The step after which it took place. */
  step: index,
  split: z.enum(["train", "validation", "test"]),
  samples: index,
  lossSum: sum,
  lossWeight: z.number(),
  loss: sum,
  best: z.boolean(),
  /** Digest of the frames of what was evaluated: of the step's, or of the average of its parameters. */
  parameters: hex64,
  leaves: z.array(leafEntry.extend({ worker: z.string() }).readonly()).readonly(),
});

const resumeRecord = z.strictObject({
  type: z.literal("resume"),
  /** 0: from the initial parameters. */
  checkpointStep: index,
  /** The last step that the ledger has. */
  ledgerStep: index,
  tornBytes: index,
  determinism,
  skipped: z
    .array(z.strictObject({ checkpoint: z.string(), reason: z.string() }).readonly())
    .readonly(),
});

const endRecord = z.strictObject({
  type: z.literal("end"),
  outcome: z.literal("completed"),
  step: index,
  /** Why training ended at this step; null: its epochs or its `maxSteps` were over. */
  stopReason: z.literal("earlyStopping").nullable(),
  parametersSha256: hex64,
  best: z.strictObject({ step: index, loss: z.number() }).nullable(),
});

const recordSchema = z.discriminatedUnion("type", [
  runRecord,
  profileRecord,
  stepRecord,
  evaluationRecord,
  resumeRecord,
  endRecord,
]);

export type RunRecord = Readonly<z.output<typeof runRecord>>;
export type ProfileRecord = Readonly<z.output<typeof profileRecord>>;
export type StepRecord = Readonly<z.output<typeof stepRecord>>;
export type EvaluationRecord = Readonly<z.output<typeof evaluationRecord>>;
export type ResumeRecord = Readonly<z.output<typeof resumeRecord>>;
export type EndRecord = Readonly<z.output<typeof endRecord>>;
export type LedgerRecord = Readonly<z.output<typeof recordSchema>>;

/** Where a record stands in the chain. */
export interface LinePosition {
  /** 1-based: the line's number. */
  readonly seq: number;
  /** 1-based: goes up with every resume, by more than one where a coordinator ended before it wrote a line. */
  readonly incarnation: number;
  /** Hash of the line before; zeros for the first. */
  readonly prev: string;
  readonly hash: string;
  /** Bytes of the ledger up to and including this line. */
  readonly offset: number;
}

export type LedgerEntry = LedgerRecord & LinePosition;

const chainFields = z.object({ seq: z.int(), incarnation: z.int().positive(), prev: hex64 });

export type ChainFields = z.output<typeof chainFields>;

/** The record in a line's object; a reason in words if it is none. */
export function parseLine(
  value: Readonly<Record<string, unknown>>,
): { readonly chain: ChainFields; readonly record: LedgerRecord } | string {
  const chain = chainFields.safeParse(value);
  if (!chain.success) return "has no seq, incarnation and prev";
  const { seq: _seq, incarnation: _incarnation, prev: _prev, ...fields } = value;
  const record = recordSchema.safeParse(fields);
  if (record.success) return { chain: chain.data, record: record.data };
  const [issue] = record.error.issues;
  return `is no ledger record (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})`;
}
