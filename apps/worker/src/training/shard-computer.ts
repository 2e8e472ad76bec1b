/** Leaves → summed gradients and losses. Runs in the compute thread; knows no thread itself. */

import { createHash } from "node:crypto";

import { decodeDataset } from "@ostinato/data";
import type {
  PairBatch,
  PairDataset,
  SequenceBatch,
  SequenceDataset,
  TokenBatch,
} from "@ostinato/data";
import { isNodeOf, roundToBfloat16 } from "@ostinato/kernels";
import { flattenMoments, LstmError, stateShape, statisticsLayout } from "@ostinato/lstm";
import type { EncoderDecoderSpec, SequenceModelSpec, StatisticsLayout } from "@ostinato/lstm";
import {
  createEncoderDecoder,
  createLanguageModel,
  createSequenceModel,
} from "@ostinato/lstm/model";
import type { LeafResult, NodeId } from "@ostinato/proto";

import type { RunModelSpec } from "@ostinato/run";

import { WorkerError } from "../errors/index.js";
import { createPairSource, createSequenceSource, createTextSource } from "../shard/index.js";
import type { RunSettings } from "../shard/index.js";
import type { BatchTask, ComputeEvents, EvaluateTask, TrainedLeaf, TrainTask } from "./compute.js";
import type { ShardModules } from "./shard-model.js";

export interface ComputeControl {
  readonly onProgress: ComputeEvents["onProgress"];
  readonly isCancelled: () => boolean;
}

/** All leaves of a task go through the model as one batch; only the gradients are kept apart. */
export class ShardComputer<Batch extends { readonly numSteps: number }> {
  readonly #settings: RunSettings;
  readonly #model: ShardModules<Batch>["model"];
  readonly #source: ShardModules<Batch>["source"];
  readonly #stateValuesPerRow: number;
  readonly #statistics: StatisticsLayout;
  #ahead: { readonly task: BatchTask; readonly batch: Batch } | undefined;

  constructor(settings: RunSettings, modules: ShardModules<Batch>) {
    this.#settings = settings;
    this.#model = modules.model;
    this.#source = modules.source;
    this.#stateValuesPerRow = modules.stateValuesPerRow;
    this.#statistics = statisticsLayout(modules.model.spec);
  }

  /** Values in the carried state of each leaf. */
  get stateSizes(): readonly number[] {
    return Array.from({ length: this.#settings.microShards }, (_, leaf) =>
      this.#stateSize(this.#source.train.stateRowsOf(leaf)),
    );
  }

  /** Makes the batch of a train task that is to come; see `Compute.prepareBatch`. */
  prepareBatch(task: BatchTask): void {
    this.#ahead = { task, batch: this.#batchOf(task) };
  }

  /**
   * The gradients of the SUM of losses, added up within each node along the gradient tree and
   * handed to `onGradient`, last layer first; their arrays are the receiver's from then on. Where the run
   * rounds them, each is rounded to bfloat16 once it is the node's whole sum.
   *
   * @throws WorkerError `cancelled`, `badLease`
   */
  train(
    task: TrainTask,
    control: ComputeControl & Pick<ComputeEvents, "onGradient">,
  ): readonly TrainedLeaf[] {
    const { roundedLeaves } = this.#settings;
    checkNodes(task.nodes, task.leaves, this.#settings);
    control.onProgress("prepare", 0);
    const { train } = this.#source;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const isMade = ahead !== undefined && isSameBatch(ahead.task, task);
    const batch = isMade ? ahead.batch : this.#batchOf(task);
    this.#load(task);
    const tensors = new Map(this.#model.layout.tensors.map((tensor) => [tensor.name, tensor]));
    const onGradient = (name: string, perNode: readonly Float32Array[]): void => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new RangeError(`the layout has no tensor ${name}`);
      const { offset: firstValue, shape } = tensor;
      // Of a table of embeddings only the rows of the step's tokens have a gradient.
      const rowValues = shape.length === 2 ? (shape[1] ?? 0) : 0;
      for (const [node, sum] of perNode.entries()) {
        const values = ownBuffer(sum);
        if (roundedLeaves !== undefined) roundToBfloat16(values, values);
        control.onGradient({ node, firstValue, values, rowValues });
      }
    };
    const nodes = task.nodes.map(({ firstLeaf, numLeaves }) => ({
      first: task.leaves.indexOf(firstLeaf),
      count: numLeaves,
    }));
    const outcomes = this.#guard(control, () =>
      this.#model.computeGradients({
        batch,
        states: task.states,
        seed: this.#settings.seed,
        step: task.step,
        nodes,
        onGradient,
        onProgress: control.onProgress,
        isCancelled: control.isCancelled,
      }),
    );
    return outcomes.map((outcome) => ({
      result: {
        leaf: outcome.leaf,
        lossSum: outcome.lossSum,
        lossWeight: outcome.lossWeight,
        ...train.samplesOf(batch, outcome.leaf),
      },
      state: outcome.state,
      moments: flattenMoments(this.#statistics, outcome.moments),
    }));
  }

  /**
   * Each leaf over the whole split, from a state of zeros, segment by segment.
   *
   * Sums are float64 in the order of the segments; a leaf's sample digest is the SHA-256 over the
   * sample digests of its segments, in order.
   *
   * @throws WorkerError `cancelled`, `badLease`
   */
  evaluate(task: EvaluateTask, control: ComputeControl): readonly LeafResult[] {
    const split = this.#source.evaluation(task.split);
    checkLeaves(task.leaves, this.#settings.microShards);
    this.#load(task);
    let states: readonly Float32Array[] = task.leaves.map(
      (leaf) => new Float32Array(this.#stateSize(split.stateRowsOf(leaf))),
    );
    const totals = task.leaves.map((leaf) => ({
      leaf,
      lossSum: 0,
      lossWeight: 0,
      numSamples: 0,
      digest: createHash("sha256"),
    }));
    let timeSteps = 0;
    for (let segment = 0; segment < split.stepsPerEpoch; segment++) {
      const batch = split.batch({ epoch: 0, epochStep: segment }, task.leaves);
      const before = timeSteps;
      const outcomes = this.#guard(control, () =>
        this.#model.evaluate({
          batch,
          states,
          onProgress: (_, steps) => control.onProgress("evaluate", before + steps),
          isCancelled: control.isCancelled,
        }),
      );
      for (const [index, total] of totals.entries()) {
        const outcome = outcomes[index];
        if (outcome?.leaf !== total.leaf) throw new RangeError(`leaf ${total.leaf} has no outcome`);
        total.lossSum += outcome.lossSum;
        total.lossWeight += outcome.lossWeight;
        const { numSamples, sampleDigest } = split.samplesOf(batch, total.leaf);
        total.numSamples += numSamples;
        total.digest.update(sampleDigest);
      }
      states = outcomes.map(({ state }) => state);
      timeSteps += batch.numSteps;
      control.onProgress("evaluate", timeSteps);
    }
    return totals.map(({ digest, ...sums }) => ({ ...sums, sampleDigest: digest.digest() }));
  }

  dispose(): void {
    this.#model.dispose();
  }

  /** In place: they are held for as long as the task takes, and set anew by each. */
  #load({ parameters, statistics }: Pick<TrainTask, "parameters" | "statistics">): void {
    this.#model.setParameters(parameters, { inPlace: true });
    this.#model.setRunningStatistics(statistics);
  }

  #batchOf({ step, epochStep, leaves }: BatchTask): Batch {
    checkLeaves(leaves, this.#settings.microShards);
    const { train } = this.#source;
    const epoch = Math.floor((step - 1) / train.stepsPerEpoch);
    return train.batch({ epoch, epochStep }, leaves);
  }

  #stateSize(numRows: number): number {
    return this.#stateValuesPerRow * numRows;
  }

  #guard<T>(control: ComputeControl, compute: () => T): T {
    if (control.isCancelled()) throw new WorkerError("cancelled", "the computation was cancelled");
    try {
      return compute();
    } catch (error) {
      if (error instanceof LstmError && error.code === "cancelled") {
        throw new WorkerError("cancelled", error.message, { cause: error });
      }
      throw error;
    }
  }
}

function isSameBatch(one: BatchTask, other: BatchTask): boolean {
  return (
    one.step === other.step &&
    one.epochStep === other.epochStep &&
    one.leaves.length === other.leaves.length &&
    one.leaves.every((leaf, index) => leaf === other.leaves[index])
  );
}

/** A computer of text, of sequences or of pairs: leases name leaves, whatever these hold. */
export type AnyShardComputer =
  ShardComputer<TokenBatch> | ShardComputer<SequenceBatch> | ShardComputer<PairBatch>;

/**
 * @param encoded the data set
 * @throws WorkerError `refused` for a data set that the model does not read; DataError when the bytes are
 *   no data set, or too few for one training step
 */
export function createShardComputer(
  spec: RunModelSpec,
  encoded: Uint8Array,
  settings: RunSettings,
): AnyShardComputer {
  const dataset = decodeDataset(encoded);
  if (spec.kind === "languageModel" && dataset.kind === "text") {
    const source = createTextSource(dataset, settings);
    const { valuesPerRow: stateValuesPerRow } = stateShape(spec);
    return new ShardComputer<TokenBatch>(settings, {
      model: createLanguageModel(spec),
      source,
      stateValuesPerRow,
    });
  }
  if (spec.kind === "sequenceModel" && dataset.kind === "sequences") {
    requireSameSizes(spec, dataset);
    const source = createSequenceSource(dataset, spec, settings);
    return new ShardComputer<SequenceBatch>(settings, {
      model: createSequenceModel(spec),
      source,
      stateValuesPerRow: 0,
    });
  }
  if (spec.kind === "encoderDecoder" && dataset.kind === "pairs") {
    requireSameVocabularies(spec, dataset);
    return new ShardComputer<PairBatch>(settings, {
      model: createEncoderDecoder(spec),
      source: createPairSource(dataset, settings),
      stateValuesPerRow: 0,
    });
  }
  throw new WorkerError("refused", `a ${spec.kind} cannot be trained on ${dataset.kind}`);
}

/** Sizes come from the data: others are those of another data set. */
function requireSameSizes(
  { input, numTargets }: SequenceModelSpec,
  { inputs, targets }: SequenceDataset,
): void {
  const size = input.kind === "values" ? input.size : input.vocabularySize;
  if (input.kind !== inputs.kind || size !== inputs.size) {
    throw new WorkerError(
      "refused",
      `the model reads ${input.kind} of size ${size}, the sequences have ${inputs.kind} of size ${inputs.size}`,
    );
  }
  if (numTargets !== targets.size) {
    throw new WorkerError(
      "refused",
      `the model has ${numTargets} targets, the sequences have ${targets.size}`,
    );
  }
}

function requireSameVocabularies(
  { sourceVocabularySize, targetVocabularySize }: EncoderDecoderSpec,
  { vocabularies: { source, target } }: PairDataset,
): void {
  if (source.size === sourceVocabularySize && target.size === targetVocabularySize) return;
  throw new WorkerError(
    "refused",
    `the model has ${sourceVocabularySize} source and ${targetVocabularySize} target tokens, the ` +
      `pairs have ${source.size} and ${target.size}`,
  );
}

/** An array whose buffer holds nothing else, so that it may be handed over. */
function ownBuffer(values: Float32Array): Float32Array<ArrayBuffer> {
  const { buffer, byteLength } = values;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? (values as Float32Array<ArrayBuffer>)
    : values.slice();
}

function checkLeaves(leaves: readonly number[], microShards: number): void {
  if (leaves.length === 0) throw new WorkerError("badLease", "the lease has no leaves");
  for (const [index, leaf] of leaves.entries()) {
    if (leaf >= microShards || leaf <= (leaves[index - 1] ?? -1)) {
      throw new WorkerError(
        "badLease",
        `leaves ${leaves.join(", ")} are not distinct leaves below ${microShards}`,
      );
    }
  }
}

/** The nodes cover the leaves exactly, each a power of two wide, or as wide as those that the run rounds. */
function checkNodes(
  nodes: readonly NodeId[],
  leaves: readonly number[],
  { microShards, roundedLeaves }: RunSettings,
): void {
  checkLeaves(leaves, microShards);
  const covered = nodes
    .flatMap(({ firstLeaf, numLeaves }) =>
      Array.from({ length: numLeaves }, (_, index) => firstLeaf + index),
    )
    .sort((a, b) => a - b);
  const isExact =
    covered.length === leaves.length && covered.every((leaf, index) => leaf === leaves[index]);
  const areNodes = nodes.every((node) => isNodeOf(node, microShards));
  const named = nodes.map(({ firstLeaf, numLeaves }) => `${firstLeaf}+${numLeaves}`).join(", ");
  const other = nodes.find(({ numLeaves }) => numLeaves !== roundedLeaves);
  if (roundedLeaves !== undefined && other !== undefined) {
    throw new WorkerError(
      "badLease",
      `nodes ${named} are not all of ${roundedLeaves} leaves, whose sums this run rounds`,
    );
  }
  if (isExact && areNodes) return;
  throw new WorkerError(
    "badLease",
    `nodes ${named} are not a division of leaves ${leaves.join(", ")} into subtrees`,
  );
}
