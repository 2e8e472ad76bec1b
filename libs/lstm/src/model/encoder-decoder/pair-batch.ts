import { LstmError } from "../../lstm-error.js";
import type { EncoderDecoderSpec } from "../../spec/index.js";
import { checkLeaves, isCount } from "../batch-leaves.js";
import type { BatchLeaf } from "../batch-leaves.js";

/** Token sequences of different lengths, side by side. */
export interface TokenSequences {
  /** T */
  readonly numSteps: number;
  /** [T,B], time-major. What lies in the padding is never read. */
  readonly tokens: Int32Array;
  /** [B]: tokens of each row. */
  readonly lengths: Int32Array;
}

/** Source sequences, each with its target sequence. */
export interface PairBatch {
  /** Of one token or more each. */
  readonly source: TokenSequences;
  /** Without start and end; may be empty. */
  readonly target: TokenSequences;
  /** [B], from 0: what each token of a row's target, and its end, counts; 1 where left out. */
  readonly weights?: Float32Array | undefined;
  /**
   * [T+1,B] for targets of up to T tokens, time-major, from 0: what each token of a target counts besides its
   * row's weight, and after the last one its end; 1 where left out. What lies behind the end is never read.
   */
  readonly positionWeights?: Float32Array | undefined;
  /** B */
  readonly numRows: number;
  /** They follow each other and cover all rows. */
  readonly leaves: readonly BatchLeaf[];
}

/**
 * @throws LstmError `invalidBatch`: a size that does not fit, a row whose length is out of range, a token
 *   outside its vocabulary, a start or end within a target, a weight that is negative or no number, or
 *   leaves that do not cover the rows
 */
export function checkPairBatch(spec: EncoderDecoderSpec, batch: PairBatch): void {
  const { source, target, weights, positionWeights, numRows, leaves } = batch;
  if (!isCount(numRows)) throw invalid(`numRows is ${numRows}, expected a whole number from 0`);
  checkSource(spec, source, numRows);
  checkSequences("target", target, numRows, 0);
  checkTokens("target", target, spec.targetVocabularySize);
  for (const name of ["startId", "endId"] as const) {
    const found = findToken(target, (token) => token === spec[name]);
    if (found === undefined) continue;
    throw invalid(
      `target token of step ${found.step}, row ${found.row} is ${found.token}, the ${name}: targets ` +
        "come without start and end",
    );
  }
  if (weights !== undefined) checkWeights(weights, numRows);
  if (positionWeights !== undefined) checkPositionWeights(positionWeights, target);
  checkLeaves("pair batch", leaves, numRows);
}

/** @throws LstmError `invalidBatch`, as {@link checkPairBatch} does */
export function checkSource(
  spec: EncoderDecoderSpec,
  source: TokenSequences,
  numRows: number,
): void {
  checkSequences("source", source, numRows, 1);
  checkTokens("source", source, spec.sourceVocabularySize);
}

/** [T,B], with token 0 in the padding. */
export function tokensInside(sequences: TokenSequences): Int32Array {
  const { tokens, lengths } = sequences;
  const numRows = lengths.length;
  return tokens.map((token, n) => (Math.floor(n / numRows) < lengths[n % numRows]! ? token : 0));
}

/** What teacher forcing makes of the targets (Williams and Zipser, 1989). */
export interface ForcedTargets {
  /** What the decoder reads: the start, then the target; of T + 1 steps. */
  readonly inputs: TokenSequences;
  /** [N], in the order (row, time): the target, then the end. */
  readonly targets: Int32Array;
  /** [N]: what each of them counts. */
  readonly weights: Float32Array;
  /** [T+1,B]: the same, time-major; 0 behind the end. */
  readonly positionWeights: Float32Array;
}

type WeightedTargets = Pick<PairBatch, "target" | "weights" | "positionWeights">;

export function forcedTargets(
  { startId, endId }: EncoderDecoderSpec,
  { target, weights: ofRows, positionWeights: ofPositions }: WeightedTargets,
): ForcedTargets {
  const { numSteps, tokens, lengths } = target;
  const numRows = lengths.length;
  const inputs = new Int32Array((numSteps + 1) * numRows);
  const positionWeights = new Float32Array((numSteps + 1) * numRows);
  const targets: number[] = [];
  const weights: number[] = [];
  for (const [row, length] of lengths.entries()) {
    inputs[row] = startId;
    for (let t = 0; t < length; t++) {
      const token = tokens[t * numRows + row]!;
      inputs[(t + 1) * numRows + row] = token;
      targets.push(token);
    }
    targets.push(endId);
    for (let t = 0; t <= length; t++) {
      const n = t * numRows + row;
      positionWeights[n] = (ofRows?.[row] ?? 1) * (ofPositions?.[n] ?? 1);
      weights.push(positionWeights[n]);
    }
  }
  return {
    inputs: {
      numSteps: numSteps + 1,
      tokens: inputs,
      lengths: lengths.map((length) => length + 1),
    },
    targets: Int32Array.from(targets),
    weights: Float32Array.from(weights),
    positionWeights,
  };
}

type Side = "source" | "target";

function checkSequences(
  side: Side,
  { numSteps, tokens, lengths }: TokenSequences,
  numRows: number,
  shortest: number,
): void {
  const fewest = numRows === 0 ? 0 : shortest;
  if (!(isCount(numSteps) && numSteps >= fewest)) {
    throw invalid(`${side}.numSteps is ${numSteps}, expected a whole number from ${fewest}`);
  }
  if (tokens.length !== numSteps * numRows) {
    throw invalid(
      `${side}.tokens has ${tokens.length} values, expected ${numSteps} steps × ${numRows} rows`,
    );
  }
  if (lengths.length !== numRows) {
    throw invalid(`${side}.lengths has ${lengths.length} values, expected ${numRows} rows`);
  }
  const bad = lengths.findIndex((length) => length < shortest || length > numSteps);
  if (bad === -1) return;
  throw invalid(
    `${side}.lengths[${bad}] is ${lengths[bad]}, expected a whole number from ${shortest} to ${numSteps}`,
  );
}

function checkTokens(side: Side, sequences: TokenSequences, vocabularySize: number): void {
  const found = findToken(sequences, (token) => token < 0 || token >= vocabularySize);
  if (found === undefined) return;
  throw invalid(
    `${side} token of step ${found.step}, row ${found.row} is ${found.token}, allowed are 0 to ` +
      `${vocabularySize - 1}`,
  );
}

function checkWeights(weights: Float32Array, numRows: number): void {
  if (weights.length !== numRows) {
    throw invalid(`weights has ${weights.length} values, expected ${numRows} rows`);
  }
  const bad = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (bad === -1) return;
  throw invalid(`weights[${bad}] is ${weights[bad]}, expected a finite number from 0`);
}

function checkPositionWeights(
  weights: Float32Array,
  { numSteps, lengths }: Pick<TokenSequences, "numSteps" | "lengths">,
): void {
  const numRows = lengths.length;
  if (weights.length !== (numSteps + 1) * numRows) {
    throw invalid(
      `positionWeights has ${weights.length} values, expected ${numSteps + 1} steps × ${numRows} rows, ` +
        "a step more than the targets",
    );
  }
  for (const [n, weight] of weights.entries()) {
    const [step, row] = [Math.floor(n / numRows), n % numRows];
    if (step > lengths[row]! || (weight >= 0 && weight < Infinity)) continue;
    throw invalid(
      `positionWeights of step ${step}, row ${row} is ${weight}, expected a finite number from 0`,
    );
  }
}

interface FoundToken {
  readonly step: number;
  readonly row: number;
  readonly token: number;
}

/** The first one outside of the padding. */
function findToken(
  { tokens, lengths }: TokenSequences,
  isWanted: (token: number) => boolean,
): FoundToken | undefined {
  const numRows = lengths.length;
  for (const [n, token] of tokens.entries()) {
    const [step, row] = [Math.floor(n / numRows), n % numRows];
    if (step < lengths[row]! && isWanted(token)) return { step, row, token };
  }
  return undefined;
}

const invalid = (what: string): LstmError => new LstmError("invalidBatch", `pair batch: ${what}`);
