/** What a checkpoint holds, and its tensors as files. */

import { statisticsLayout } from "@ostinato/lstm";
import type {
  DecisionState,
  OptimizerState,
  ParameterLayout,
  StatisticsLayout,
} from "@ostinato/lstm";

import type { RunModelSpec } from "../data/index.js";
import { RunError } from "../errors/index.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  readDoubles,
  readFloats,
} from "../safetensors/index.js";
import type { FloatTensor, SafetensorsFile } from "../safetensors/index.js";
import type { NamedBytes } from "../storage/index.js";

/** What tells two numerics apart; see the ledger's profile record. */
export interface CheckpointProfile {
  readonly backend: string;
  readonly version: string;
  readonly digest: string;
}

/** Everything that the steps after `step` depend on. */
export interface CheckpointContent {
  readonly job: string;
  /** The parameter version; 0 before the first step. */
  readonly step: number;
  /** Digest of the config's trajectory keys. */
  readonly trajectory: string;
  /** Digest of the data set. */
  readonly data: string;
  readonly model: RunModelSpec;
  readonly profile: CheckpointProfile | null;
  /** Where the ledger stood. */
  readonly ledger: { readonly head: string; readonly offset: number };
  /** Flat, `layout.size` values. */
  readonly parameters: Float32Array;
  readonly layout: ParameterLayout;
  readonly optimizer: OptimizerState;
  /** Running statistics of batch normalization, in the order of `statisticsLayout(model)`. */
  readonly statistics: Float64Array;
  /** Leaf → carried state; empty where an epoch begins. */
  readonly states: ReadonlyMap<number, Float32Array>;
  /** What was decided from the evaluations up to there. */
  readonly progress: DecisionState;
}

/** The files of the tensors, in the order in which they are written. */
export const TENSOR_FILES = [
  "parameters.safetensors",
  "optimizer.safetensors",
  "state.safetensors",
] as const;

export type TensorFile = (typeof TENSOR_FILES)[number];

type Tensors = Pick<CheckpointContent, "parameters" | "optimizer" | "statistics" | "states">;

/** What the files of a checkpoint's tensors are made of. */
export type CheckpointTensors = Tensors & Pick<CheckpointContent, "step" | "model" | "layout">;

/** Names of the carried states; those of the statistics are `layers.0.norm.mean` and the like. */
const LEAF = "leaf.";

/** @param allocate see `encodeSafetensors` */
export function encodeTensors(
  content: CheckpointTensors,
  allocate?: (numBytes: number, file: TensorFile) => Uint8Array,
): readonly NamedBytes[] {
  const { layout, parameters, optimizer, states, statistics, model } = content;
  const slots = Object.entries(optimizer.slots).flatMap(([slot, values]) =>
    cut(values, layout, `${slot}.`),
  );
  const leaves = [...states]
    .sort(([a], [b]) => a - b)
    .map(([leaf, values]) => ({ name: `${LEAF}${leaf}`, shape: [values.length], values }));
  const metadata = { format: "ostinato", step: String(content.step) };
  const tensors: Record<TensorFile, readonly FloatTensor[]> = {
    "parameters.safetensors": cut(parameters, layout, ""),
    "optimizer.safetensors": slots,
    "state.safetensors": [...cutStatistics(statistics, statisticsLayout(model)), ...leaves],
  };
  return TENSOR_FILES.map((name) => ({
    name,
    bytes: encodeSafetensors(
      tensors[name],
      metadata,
      allocate && ((numBytes) => allocate(numBytes, name)),
    ),
  }));
}

/**
 * The tensors of a checkpoint's files.
 *
 * @throws RunError 'tensorsCorrupt'
 */
export function decodeTensors(
  files: Readonly<Record<TensorFile, Uint8Array>>,
  layouts: { readonly layout: ParameterLayout; readonly statistics: StatisticsLayout },
  optimizer: { readonly stepCount: number; readonly slots: readonly string[] },
): Tensors {
  const { layout } = layouts;
  const slots = decodeSafetensors(files["optimizer.safetensors"]);
  const state = decodeSafetensors(files["state.safetensors"]);
  const leaves = [...state.tensors.keys()].filter((name) => name.startsWith(LEAF)).map(leafOf);
  return {
    parameters: join(decodeSafetensors(files["parameters.safetensors"]), layout, ""),
    optimizer: {
      stepCount: optimizer.stepCount,
      slots: Object.fromEntries(
        optimizer.slots.map((slot) => [slot, join(slots, layout, `${slot}.`)]),
      ),
    },
    statistics: joinStatistics(state, layouts.statistics),
    states: new Map(leaves.map((leaf) => [leaf, readFloats(state, `${LEAF}${leaf}`)])),
  };
}

/** The leaf of a carried state, by its tensor's name. */
function leafOf(name: string): number {
  const leaf = Number(name.slice(LEAF.length));
  if (Number.isSafeInteger(leaf) && leaf >= 0 && name === `${LEAF}${leaf}`) return leaf;
  throw new RunError("tensorsCorrupt", `${name} is the carried state of no leaf`);
}

/** A flat buffer as the named tensors that it consists of; views, no copies. */
function cut(values: Float32Array, layout: ParameterLayout, prefix: string): FloatTensor[] {
  return layout.tensors.map(({ name, shape, offset, size }) => ({
    name: prefix + name,
    shape,
    values: values.subarray(offset, offset + size),
  }));
}

/** The flat buffer of named tensors. */
function join(file: SafetensorsFile, layout: ParameterLayout, prefix: string): Float32Array {
  const values = new Float32Array(layout.size);
  for (const { name, shape, offset } of layout.tensors) {
    values.set(readFloats(file, prefix + name, shape), offset);
  }
  return values;
}

/** Flat running statistics as named tensors; views, no copies. */
function cutStatistics(values: Float64Array, { entries }: StatisticsLayout): FloatTensor[] {
  return entries.flatMap(({ name, size, offset }) => [
    { name: `${name}.mean`, shape: [size], values: values.subarray(offset, offset + size) },
    {
      name: `${name}.variance`,
      shape: [size],
      values: values.subarray(offset + size, offset + 2 * size),
    },
  ]);
}

function joinStatistics(file: SafetensorsFile, { entries, size }: StatisticsLayout): Float64Array {
  const values = new Float64Array(size);
  for (const entry of entries) {
    values.set(readDoubles(file, `${entry.name}.mean`, [entry.size]), entry.offset);
    values.set(
      readDoubles(file, `${entry.name}.variance`, [entry.size]),
      entry.offset + entry.size,
    );
  }
  return values;
}
