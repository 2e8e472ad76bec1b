/**
 * How many values each layer keeps from the forward to the backward pass of one training step.
 *
 * Letters: P = rows × steps positions, and P⁺ = rows × (steps + 1) with the initial state; I inputs, H
 * hidden size, G gates, R size of the recurrent state, C size of the layer's outputs. Of each direction
 * of a recurrent layer:
 *
 * - gates P·G·H (RNN: activations P·H), hidden state P⁺·R, outputs P·R;
 * - LSTM: cell state P⁺·H and its tanh P·H; GRU: P·H of the candidate;
 * - a projection: P·H; layer norm inside: P·(2·G·H + H); zoneout: P·R and P·H for its masks.
 *
 * Of the layer: 2·P·I for a dropout of its inputs (mask and product), P·(I + C) for two directions
 * (inputs from last to first, outputs side by side), P·C for a residual, 2·P·C for a normalization,
 * and 2·P·C for a dropout of the last layer's outputs.
 */
import {
  cellSizes,
  decoderStack,
  encoderStack,
  layerInputSizes,
  parameterLayout,
  stackOutputSize,
} from "../layout/index.js";
import type { StackShape } from "../layout/index.js";
import type {
  EncoderDecoderSpec,
  LanguageModelSpec,
  ModelSpec,
  RecurrentStackSpec,
  SequenceModelSpec,
} from "../spec/index.js";

/** Rows and steps of a training step. */
export interface StepSize {
  readonly rows: number;
  /** Time steps; of an encoder–decoder, target tokens. */
  readonly steps: number;
  /** Source tokens of an encoder–decoder. */
  readonly sourceSteps: number;
}

export interface KeptValues {
  /** Such as `layers.0`: what the names of the layer's tensors start with. */
  readonly layer: string;
  readonly values: number;
}

/** In the order of the forward pass. */
export function keptValues(spec: ModelSpec, size: StepSize): KeptValues[] {
  switch (spec.kind) {
    case "languageModel":
      return ofLanguageModel(spec, size);
    case "sequenceModel":
      return ofSequenceModel(spec, size);
    case "encoderDecoder":
      return ofEncoderDecoder(spec, size);
    default:
      return spec satisfies never;
  }
}

/** Embedded tokens P·E; the head keeps nothing, its logits are made in blocks. */
function ofLanguageModel(spec: LanguageModelSpec, { rows, steps }: StepSize): KeptValues[] {
  const shape = { inputSize: spec.embeddingSize, bidirectional: false, prefix: "" };
  return [
    { layer: "embedding", values: rows * steps * spec.embeddingSize },
    ...ofStack(spec, shape, rows, steps),
    { layer: "head", values: 0 },
  ];
}

/** Inputs P·I or embedded tokens P·E; the head's outputs and their gradient, 2·P·O or 2·rows·O. */
function ofSequenceModel(spec: SequenceModelSpec, { rows, steps }: StepSize): KeptValues[] {
  const { input, bidirectional, output } = spec;
  const isTokens = input.kind === "tokens";
  const inputSize = isTokens ? input.embeddingSize : input.size;
  const bias = parameterLayout(spec).tensors.find(({ name }) => name === "head.bias");
  const numOutputs = rows * (output === "everyStep" ? steps : 1) * (bias?.size ?? 0);
  return [
    { layer: isTokens ? "embedding" : "inputs", values: rows * steps * inputSize },
    ...ofStack(spec, { inputSize, bidirectional, prefix: "" }, rows, steps),
    { layer: "head", values: 2 * numOutputs },
  ];
}

function ofEncoderDecoder(spec: EncoderDecoderSpec, size: StepSize): KeptValues[] {
  const { rows, sourceSteps } = size;
  // Start and target.
  const targetSteps = size.steps + 1;
  const [encoder, decoder] = [encoderStack(spec), decoderStack(spec)];
  const { embeddingSize } = spec;
  return [
    { layer: "encoder.embedding", values: rows * sourceSteps * embeddingSize },
    ...ofStack(encoder.spec, encoder.shape, rows, sourceSteps),
    { layer: "decoder.embedding", values: rows * targetSteps * embeddingSize },
    ...ofStack(decoder.spec, decoder.shape, rows, targetSteps),
    ...ofAttention(spec, rows, sourceSteps, targetSteps),
    { layer: "head", values: 0 },
  ];
}

/**
 * T and S target and source steps, M encoder outputs of C values, N decoder outputs of R: M·C and N·R, as
 * packed; the queries' products N·K, additive keys M·K; weights rows·T·S; contexts N·C, what is combined
 * N·(C + R), its result N·R.
 */
function ofAttention(
  spec: EncoderDecoderSpec,
  rows: number,
  sourceSteps: number,
  targetSteps: number,
): KeptValues[] {
  if (spec.attention === "none") return [];
  const { spec: ofEncoder, shape } = encoderStack(spec);
  const memorySize = stackOutputSize(ofEncoder, shape.bidirectional);
  const querySize = stackOutputSize(spec, false);
  const isAdditive = spec.attention === "additive";
  const keySize = isAdditive ? querySize : memorySize;
  const [numMemory, numQueries] = [rows * sourceSteps, rows * targetSteps];
  const values =
    numMemory * (memorySize + (isAdditive ? keySize : 0)) +
    numQueries * (keySize + 2 * memorySize + 3 * querySize) +
    numQueries * sourceSteps;
  return [{ layer: "attention", values }];
}

function ofStack(
  spec: RecurrentStackSpec,
  shape: StackShape,
  rows: number,
  steps: number,
): KeptValues[] {
  const { bidirectional, prefix } = shape;
  const positions = rows * steps;
  const outputSize = stackOutputSize(spec, bidirectional);
  return layerInputSizes(spec, shape).map((inputSize, layer) => {
    const isFirst = layer === 0;
    const isLast = layer === spec.numLayers - 1;
    let perPosition = 0;
    if ((isFirst ? spec.inputDropout : spec.dropout) > 0) perPosition += 2 * inputSize;
    if (bidirectional) perPosition += inputSize + outputSize;
    if (spec.residual && !isFirst) perPosition += outputSize;
    if (spec.normalization !== "none") perPosition += 2 * outputSize;
    if (isLast && spec.outputDropout > 0) perPosition += 2 * outputSize;
    const values = ofDirection(spec, rows, steps) * (bidirectional ? 2 : 1);
    return { layer: `${prefix}layers.${layer}`, values: values + positions * perPosition };
  });
}

function ofDirection(spec: RecurrentStackSpec, rows: number, steps: number): number {
  const { numGates, hiddenSize, outputSize, hasCellState } = cellSizes(spec);
  const width = numGates * hiddenSize;
  let perPosition = width + outputSize;
  let perState = outputSize;
  if (hasCellState) {
    perPosition += hiddenSize;
    perState += hiddenSize;
  }
  if (spec.cell === "gru") perPosition += hiddenSize;
  if (spec.projectionSize !== null) perPosition += hiddenSize;
  if (spec.layerNorm) perPosition += 2 * width + hiddenSize;
  if (spec.zoneoutHidden > 0) perPosition += outputSize;
  if (spec.zoneoutCell > 0) perPosition += hiddenSize;
  return rows * steps * perPosition + rows * (steps + 1) * perState;
}
