/** An encoder–decoder in float64, one scalar at a time, row by row: no padding anywhere. */
import { cellSizes } from "../../src/layout/index.js";
import type { EncoderDecoderSpec } from "../../src/index.js";
import type { Pair } from "../support/encoder-decoders.js";
import { lossAt } from "./losses.js";
import type { CellState } from "./cells.js";
import type { OracleMasks } from "./masks.js";
import type { OracleMoments, RunningStatistics } from "./normalization.js";
import { dropped, penaltyAt } from "./regularization.js";
import { runStack } from "./stack.js";
import type { StackStates } from "./stack.js";
import { product } from "./tensors.js";
import type { OracleTensors, Sequence, Vector } from "./tensors.js";

/** What tells the decoder's masks from the encoder's: 2¹⁷, beyond all layers of both directions. */
const DECODER_MASKS = 131_072;

export interface EncoderDecoderCall {
  readonly spec: EncoderDecoderSpec;
  readonly tensors: OracleTensors;
  readonly masks: OracleMasks;
  readonly running: RunningStatistics;
  /** The leaf's number. */
  readonly leaf: number;
  readonly pairs: readonly Pair[];
}

export interface OracleOutcome {
  /** What training makes small: the losses with the penalties. */
  readonly objective: number;
  /** −log P(target, end | source), times each pair's weight; in training with the labels smoothed. */
  readonly lossSum: number;
  readonly lossWeight: number;
  /** Of the encoder's layers, then of the decoder's. */
  readonly moments: readonly OracleMoments[];
}

/** One leaf. */
export function runEncoderDecoder(call: EncoderDecoderCall): OracleOutcome {
  const { spec, masks, pairs } = call;
  if (pairs.length === 0) return { objective: 0, lossSum: 0, lossWeight: 0, moments: [] };
  const { startId, endId, labelSmoothing } = spec;
  const sources = pairs.map(({ source }) => source);
  const encoder = runSide(call, "encoder.", sources, zeroStates(spec, pairs.length));
  const forced = pairs.map(({ target }) => [startId, ...target]);
  const decoder = runSide(call, "decoder.", forced, handed(encoder.final));
  const loss = {
    kind: "crossEntropy",
    classWeights: [],
    ignoredIndex: -1,
    labelSmoothing,
  } as const;
  let [lossSum, lossWeight, penalties] = [0, 0, 0];
  for (const [row, { target, weight = 1 }] of pairs.entries()) {
    const [outputs, above] = [decoder.outputs[row]!, decoder.dropped[row]!];
    for (const [t, token] of [...target, endId].entries()) {
      const logits = logitsOf(call, attentional(call, above[t]!, encoder.dropped[row]!));
      lossSum += weight * lossAt(loss, logits, [token], masks.isTraining).loss;
      lossWeight += weight;
      penalties += weight * penaltyAt(spec, outputs, above, t);
    }
  }
  const moments = [...encoder.moments, ...decoder.moments];
  return { objective: lossSum + penalties, lossSum, lossWeight, moments };
}

interface SideRun {
  readonly outputs: Sequence;
  readonly dropped: Sequence;
  readonly final: StackStates;
  readonly moments: readonly OracleMoments[];
}

/** Embedding, dropout, layers, dropout. */
function runSide(
  call: EncoderDecoderCall,
  prefix: "encoder." | "decoder.",
  rows: readonly Vector[],
  initial: StackStates,
): SideRun {
  const { embeddingSize: size, bidirectionalEncoder } = call.spec;
  const isEncoder = prefix === "encoder.";
  const firstMaskLayer = isEncoder ? 0 : DECODER_MASKS;
  const table = call.tensors.of(`${prefix}embedding.table`);
  const rowMask = call.masks.shared(
    "embeddingDropout",
    firstMaskLayer,
    call.spec.embeddingDropout,
    table.length / size,
  );
  const embedded = rows.map((tokens) =>
    tokens.map((token) =>
      Array.from(table.subarray(token * size, (token + 1) * size), (x) => x * rowMask(token)),
    ),
  );
  const place = { ...call, layer: firstMaskLayer };
  const { outputs, final, moments } = runStack({
    ...call,
    bidirectional: isEncoder && bidirectionalEncoder,
    prefix,
    firstMaskLayer,
    inputs: dropped({ ...place, purpose: "inputDropout" }, embedded),
    initial,
  });
  const above = dropped({ ...place, purpose: "outputDropout" }, outputs);
  return { outputs, dropped: above, final, moments };
}

/** Of the encoder, whose directions have half of the units each. */
function zeroStates(spec: EncoderDecoderSpec, numRows: number): StackStates {
  const numDirections = spec.bidirectionalEncoder ? 2 : 1;
  const { outputSize, hiddenSize, hasCellState } = cellSizes(spec);
  const zeros = (size: number): number[] => new Array<number>(size / numDirections).fill(0);
  const state = { h: zeros(outputSize), c: zeros(hasCellState ? hiddenSize : 0) };
  return Array.from({ length: spec.numLayers }, () =>
    Array.from({ length: numDirections }, () => Array.from({ length: numRows }, () => state)),
  );
}

/** Both directions' final states side by side. */
function handed(final: StackStates): StackStates {
  return final.map(([ahead, back]) => [
    ahead!.map(({ h, c }, row): CellState => {
      const other = back?.[row] ?? { h: [], c: [] };
      return { h: [...h, ...other.h], c: [...c, ...other.c] };
    }),
  ]);
}

/**
 * tanh(W[context; h]), where the context is the mean of the encoder's outputs weighted by the softmax of
 * their scores: h·W·s (Luong et al., 2015, "general") or v·tanh(W h + U s) (Bahdanau et al., 2015).
 */
function attentional(
  { spec, tensors }: EncoderDecoderCall,
  h: Vector,
  memory: Sequence[0],
): Vector {
  const { attention } = spec;
  if (attention === "none") return h;
  const scores = memory.map((s) => {
    if (attention === "multiplicative") {
      return dot(product(h, tensors.of("attention.kernel"), s.length), s);
    }
    const weights = [...tensors.of("attention.score")];
    const query = product(h, tensors.of("attention.query"), weights.length);
    const key = product(s, tensors.of("attention.memory"), weights.length);
    return dot(
      weights,
      query.map((q, k) => Math.tanh(q + key[k]!)),
    );
  });
  const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  const context = memory[0]!.map((_, j) =>
    memory.reduce((sum, s, t) => sum + (Math.exp(scores[t]!) / total) * s[j]!, 0),
  );
  const bias = tensors.of("attention.combine.bias");
  const combined = product([...context, ...h], tensors.of("attention.combine.kernel"), bias.length);
  return combined.map((sum, j) => Math.tanh(sum + bias[j]!));
}

function logitsOf({ spec, tensors }: EncoderDecoderCall, read: Vector): number[] {
  const bias = [...tensors.of("head.bias")];
  if (!spec.tiedEmbedding) {
    return product(read, tensors.of("head.kernel"), bias.length).map((sum, v) => sum + bias[v]!);
  }
  const table = tensors.of("decoder.embedding.table");
  const size = read.length;
  return bias.map((of, v) => of + dot(read, [...table.subarray(v * size, (v + 1) * size)]));
}

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
