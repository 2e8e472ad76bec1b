import { parameterLayout } from "../layout/index.js";
import type { TensorLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import type { ModelSpec } from "../spec/index.js";
import { keptValues } from "./kept-values.js";
import type { StepSize } from "./kept-values.js";

/** The training step whose memory is summed up. */
export interface SummaryOptions {
  /** Rows that are computed at once, such as those of all micro-shards that a worker holds. */
  readonly rows: number;
  /** Time steps of each; of an encoder–decoder, target tokens. */
  readonly steps: number;
  /** Source tokens of an encoder–decoder; as many as `steps` where left out. */
  readonly sourceSteps?: number | undefined;
  /** Values that the optimizer keeps a parameter: 2 for Adam, 1 for momentum, 0 for SGD; 2 by default. */
  readonly optimizerSlots?: number | undefined;
}

export interface LayerSummary {
  /** Such as `layers.0`: what the names of its tensors start with. */
  readonly name: string;
  readonly tensors: readonly Pick<TensorLayout, "name" | "shape" | "size">[];
  /** Number of values in all of its tensors. */
  readonly parameters: number;
  /** Values kept from the forward to the backward pass. */
  readonly activations: number;
}

/** In bytes, at 4 a value. */
export interface MemorySummary {
  readonly parameterBytes: number;
  readonly optimizerBytes: number;
  readonly activationBytes: number;
  /** Of the three together. */
  readonly totalBytes: number;
}

export interface ModelSummary {
  readonly kind: ModelSpec["kind"];
  /** In the order of the forward pass. */
  readonly layers: readonly LayerSummary[];
  readonly parameters: number;
  readonly activations: number;
  readonly memory: MemorySummary;
  readonly options: StepSize & { readonly optimizerSlots: number };
}

const BYTES_OF_VALUE = 4;

/**
 * Layers, tensors, parameters and memory of a model.
 *
 * The activations are what layers keep from forward to backward, by the formula in kept-values.ts: an
 * estimate from below. What is made on the way and freed with the step comes on top; in all, up to four
 * times as much has been seen to be held.
 * A language model of up to 256 symbols without dropout below its first layer does not keep the embedded
 * tokens that are counted.
 *
 * @throws {LstmError} `invalidSpec` for more parameters than can be addressed, or an option that is no
 *   whole number from 0 (rows, steps: from 1)
 */
export function modelSummary(spec: ModelSpec, options: SummaryOptions): ModelSummary {
  const { rows, steps, sourceSteps = steps, optimizerSlots = 2 } = options;
  requireWhole("rows", rows, 1);
  requireWhole("steps", steps, 1);
  requireWhole("sourceSteps", sourceSteps, 1);
  requireWhole("optimizerSlots", optimizerSlots, 0);
  const layout = parameterLayout(spec);
  const layers = keptValues(spec, { rows, steps, sourceSteps }).map(({ layer, values }) => {
    const tensors = layout.tensors.filter(({ name }) => name.startsWith(`${layer}.`));
    const parameters = tensors.reduce((sum, { size }) => sum + size, 0);
    return { name: layer, tensors, parameters, activations: values };
  });
  const activations = layers.reduce((sum, layer) => sum + layer.activations, 0);
  const parameterBytes = BYTES_OF_VALUE * layout.size;
  const optimizerBytes = optimizerSlots * parameterBytes;
  const activationBytes = BYTES_OF_VALUE * activations;
  return {
    kind: spec.kind,
    layers,
    parameters: layout.size,
    activations,
    memory: {
      parameterBytes,
      optimizerBytes,
      activationBytes,
      totalBytes: parameterBytes + optimizerBytes + activationBytes,
    },
    options: { rows, steps, sourceSteps, optimizerSlots },
  };
}

function requireWhole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new LstmError(
    "invalidSpec",
    `summary: ${name} is ${value}; it must be a whole number from ${min}`,
  );
}
