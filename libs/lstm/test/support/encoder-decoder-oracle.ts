/**
 * An encoder–decoder in float64, written from the formulas alone: one scalar at a time, one row after
 * the other, no padding anywhere.
 */
import { parameterLayout } from "../../src/index.js";
import type { EncoderDecoderSpec } from "../../src/index.js";
import type { PairBatch, TokenSequences } from "../../src/model/index.js";
import { fillDropoutMask } from "../../src/random/index.js";

type Vector = readonly number[];
/** [time][unit] of one row. */
type Sequence = readonly Vector[];

interface State {
  readonly hidden: Vector;
  readonly cell: Vector;
}

interface Training {
  readonly seed: number;
  readonly step: number;
}

export interface OracleLosses {
  /** −log P(target, end | source), without label smoothing. */
  readonly lossSum: number;
  /** What training makes small: with label smoothing and the penalties. */
  readonly objective: number;
  readonly lossWeight: number;
}

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));
const range = (count: number): number[] => Array.from({ length: count }, (_, k) => k);
const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
const zeros = (count: number): number[] => range(count).map(() => 0);

/** Tokens of one row, without its padding. */
export function rowTokens({ tokens, lengths }: TokenSequences, row: number): number[] {
  return range(lengths[row]!).map((t) => tokens[t * lengths.length + row]!);
}

/** Losses of each leaf. */
export function oracleLosses(
  spec: EncoderDecoderSpec,
  parameters: ArrayLike<number>,
  { source, target, leaves }: PairBatch,
  training?: Training,
): OracleLosses[] {
  return leaves.map(({ leaf, firstRow, numRows }) => {
    const rows = range(numRows).map((row) => firstRow + row);
    const oracle = new Oracle(spec, parameters, training, leaf);
    return oracle.losses(
      rows.map((row) => rowTokens(source, row)),
      rows.map((row) => rowTokens(target, row)),
    );
  });
}

class Oracle {
  readonly #spec: EncoderDecoderSpec;
  readonly #parameters: ArrayLike<number>;
  readonly #layout: Map<string, { offset: number; shape: readonly number[] }>;
  readonly #training: Training | undefined;
  readonly #leaf: number;

  constructor(
    spec: EncoderDecoderSpec,
    parameters: ArrayLike<number>,
    training: Training | undefined,
    leaf: number,
  ) {
    this.#spec = spec;
    this.#parameters = parameters;
    this.#layout = new Map(parameterLayout(spec).tensors.map((tensor) => [tensor.name, tensor]));
    this.#training = training;
    this.#leaf = leaf;
  }

  losses(sources: readonly Vector[], targets: readonly Vector[]): OracleLosses {
    const { numLayers, hiddenSize, bidirectionalEncoder, startId, endId } = this.#spec;
    const nothing = range(numLayers).map(() => sources.map(() => undefined));
    const encoder = this.#side("encoder.", sources, nothing, 0, bidirectionalEncoder);
    const forced = targets.map((tokens) => [startId, ...tokens]);
    const decoder = this.#side("decoder.", forced, encoder.final, 1 << 17, false);
    let [lossSum, objective, lossWeight] = [0, 0, 0];
    for (const [row, tokens] of targets.entries()) {
      const dropped = decoder.dropped[row]!;
      for (const [t, token] of [...tokens, endId].entries()) {
        const read = this.#attentional(dropped[t]!, encoder.dropped[row]!);
        const logits = this.#logits(read);
        const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
        const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
        const smoothing = this.#spec.labelSmoothing;
        const h = decoder.outputs[row]![t]!;
        const change =
          t === 0 ? zeros(h.length) : h.map((v, j) => v - decoder.outputs[row]![t - 1]![j]!);
        lossWeight++;
        lossSum += total - logits[token]!;
        objective += total - (1 - smoothing) * logits[token]! - smoothing * mean;
        objective += (this.#spec.activationPenalty * dot(dropped[t]!, dropped[t]!)) / hiddenSize;
        objective += (this.#spec.temporalActivationPenalty * dot(change, change)) / hiddenSize;
      }
    }
    return { lossSum, objective, lossWeight };
  }

  #at(name: string, row: number, column = 0): number {
    const { offset, shape } = this.#layout.get(name)!;
    return this.#parameters[offset + row * (shape[1] ?? 1) + column]!;
  }

  /** x·W */
  #product(x: Vector, name: string, firstRow = 0): number[] {
    const [, numColumns] = this.#layout.get(name)!.shape;
    return range(numColumns!).map((column) =>
      x.reduce((sum, value, k) => sum + value * this.#at(name, firstRow + k, column), 0),
    );
  }

  /** A row's values times its mask. */
  #dropped(
    values: Sequence,
    row: number,
    purpose: "dropout" | "inputDropout" | "outputDropout",
    layer: number,
  ): Sequence {
    const rate = this.#spec[purpose];
    if (this.#training === undefined || rate === 0) return values;
    const width = values[0]!.length;
    const mask = new Float32Array(values.length * width);
    const key = { ...this.#training, purpose, layer, leaf: this.#leaf, row };
    fillDropoutMask(key, 1 - rate, mask);
    return values.map((ofStep, t) => ofStep.map((value, j) => value * mask[t * width + j]!));
  }

  /** [V]: what each row of a side's table is multiplied with, drawn once a step. */
  #keptTokens(vocabularySize: number, layer: number): Float32Array {
    const rate = this.#spec.embeddingDropout;
    const mask = new Float32Array(vocabularySize).fill(1);
    if (this.#training === undefined || rate === 0) return mask;
    fillDropoutMask({ ...this.#training, purpose: "embeddingDropout", layer }, 1 - rate, mask);
    return mask;
  }

  /** Embedding, dropout, layers, dropout; of all rows, each of its own length. */
  #side(
    prefix: string,
    rows: readonly Vector[],
    initial: readonly (readonly (State | undefined)[])[],
    firstMaskLayer: number,
    bidirectional: boolean,
  ): { outputs: Sequence[]; dropped: Sequence[]; final: State[][] } {
    const { embeddingSize, numLayers, residual } = this.#spec;
    const final: State[][] = [];
    const table = `${prefix}embedding.table`;
    const kept = this.#keptTokens(this.#layout.get(table)!.shape[0]!, firstMaskLayer);
    let outputs = rows.map((tokens, row) => {
      const embedded = tokens.map((token) =>
        range(embeddingSize).map((j) => this.#at(table, token, j) * kept[token]!),
      );
      return this.#dropped(embedded, row, "inputDropout", firstMaskLayer);
    });
    for (const layer of range(numLayers)) {
      const name = `${prefix}layers.${layer}`;
      const below = outputs;
      const runs = below.map((sequence, row) => {
        const inputs =
          layer === 0
            ? sequence
            : this.#dropped(sequence, row, "dropout", firstMaskLayer + layer - 1);
        const state = initial[layer]![row];
        if (!bidirectional) return this.#recur(name, inputs, state);
        const ahead = this.#recur(`${name}.forward`, inputs, state);
        const back = this.#recur(`${name}.backward`, inputs.toReversed(), state);
        const fromLast = back.outputs.toReversed();
        return {
          outputs: ahead.outputs.map((h, t) => [...h, ...fromLast[t]!]),
          final: {
            hidden: [...ahead.final.hidden, ...back.final.hidden],
            cell: [...ahead.final.cell, ...back.final.cell],
          },
        };
      });
      final.push(runs.map((run) => run.final));
      const summed = runs.map((run, row) =>
        run.outputs.map((h, t) =>
          h.map((value, j) => value + (residual && layer > 0 ? below[row]![t]![j]! : 0)),
        ),
      );
      outputs = this.#normalized(`${name}.norm`, summed);
    }
    const dropped = outputs.map((sequence, row) =>
      this.#dropped(sequence, row, "outputDropout", firstMaskLayer),
    );
    return { outputs, dropped, final };
  }

  #recur(
    name: string,
    inputs: Sequence,
    initial: State | undefined,
  ): { outputs: Sequence; final: State } {
    const numUnits = this.#numUnits(name);
    let state = initial ?? { hidden: zeros(numUnits), cell: zeros(numUnits) };
    const outputs = inputs.map((x) => {
      state = this.#spec.cell === "lstm" ? this.#lstm(name, x, state) : this.#gru(name, x, state);
      return state.hidden;
    });
    return { outputs, final: state };
  }

  #numUnits(name: string): number {
    const [width] = this.#layout.get(`${name}.bias`)!.shape;
    return width! / (this.#spec.cell === "lstm" ? 4 : 3);
  }

  #lstm(name: string, x: Vector, { hidden, cell }: State): State {
    const H = hidden.length;
    const z = this.#product([...x, ...hidden], `${name}.kernel`).map(
      (sum, column) => sum + this.#at(`${name}.bias`, column),
    );
    const next = cell.map((c, j) => sigma(z[H + j]!) * c + sigma(z[j]!) * Math.tanh(z[2 * H + j]!));
    return { hidden: next.map((c, j) => sigma(z[3 * H + j]!) * Math.tanh(c)), cell: next };
  }

  #gru(name: string, x: Vector, { hidden, cell }: State): State {
    const H = hidden.length;
    const ofInputs = this.#product(x, `${name}.kernel`).map(
      (sum, column) => sum + this.#at(`${name}.bias`, column),
    );
    const ofHidden = this.#product(hidden, `${name}.kernel`, x.length);
    const next = hidden.map((h, j) => {
      const r = sigma(ofInputs[j]! + ofHidden[j]!);
      const z = sigma(ofInputs[H + j]! + ofHidden[H + j]!);
      const recurrent = ofHidden[2 * H + j]! + this.#at(`${name}.candidateBias`, j);
      const n = Math.tanh(ofInputs[2 * H + j]! + r * recurrent);
      return (1 - z) * n + z * h;
    });
    return { hidden: next, cell };
  }

  /** By the leaf's own moments: as in training. */
  #normalized(name: string, rows: Sequence[]): Sequence[] {
    if (this.#spec.normalization === "none") return rows;
    const all = rows.flat();
    const scaled = (ofUnits: Vector, j: number, among: Vector): number => {
      const mean = among.reduce((sum, value) => sum + value, 0) / among.length;
      const variance = among.reduce((sum, value) => sum + (value - mean) ** 2, 0) / among.length;
      const normal = (ofUnits[j]! - mean) / Math.sqrt(variance + 1e-5);
      return normal * this.#at(`${name}.gain`, j) + this.#at(`${name}.bias`, j);
    };
    const columns = range(all[0]?.length ?? 0).map((j) => all.map((values) => values[j]!));
    return rows.map((sequence) =>
      sequence.map((values) =>
        values.map((_, j) =>
          scaled(values, j, this.#spec.normalization === "batch" ? columns[j]! : values),
        ),
      ),
    );
  }

  #attentional(h: Vector, memory: Sequence): Vector {
    const { attention } = this.#spec;
    if (attention === "none") return h;
    const scores = memory.map((s) => {
      if (attention === "multiplicative") return dot(this.#product(h, "attention.kernel"), s);
      const query = this.#product(h, "attention.query");
      const key = this.#product(s, "attention.memory");
      return query.reduce(
        (sum, q, k) => sum + this.#at("attention.score", k) * Math.tanh(q + key[k]!),
        0,
      );
    });
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    const context = memory[0]!.map((_, j) =>
      memory.reduce((sum, s, t) => sum + (Math.exp(scores[t]!) / total) * s[j]!, 0),
    );
    return this.#product([...context, ...h], "attention.combine.kernel").map((sum, j) =>
      Math.tanh(sum + this.#at("attention.combine.bias", j)),
    );
  }

  #logits(read: Vector): number[] {
    const { targetVocabularySize, tiedEmbedding } = this.#spec;
    return range(targetVocabularySize).map((v) => {
      const weights = read.map((_, j) =>
        tiedEmbedding ? this.#at("decoder.embedding.table", v, j) : this.#at("head.kernel", j, v),
      );
      return dot(read, weights) + this.#at("head.bias", v);
    });
  }
}
