import { LstmError } from "../../lstm-error.js";

/** A whole target. */
export interface Hypothesis {
  /** Without start and end. */
  readonly tokens: readonly number[];
  /** Natural logarithm of the probability of the tokens and the end after them, given the source. */
  readonly logProbability: number;
  /** What hypotheses are ranked by: logProbability / lengthPenalty, see {@link BeamOptions}. */
  readonly score: number;
}

export interface BeamOptions {
  /** Hypotheses followed at once; 1 takes the likeliest token each time. */
  readonly beamSize: number;
  /** Tokens of a target without its end; one that has so many is ended. */
  readonly maxLength: number;
  /**
   * α, from 0. Whole targets Y of |Y| tokens, the end among them, are ranked by log P(Y|X) / lp(Y) with
   * lp(Y) = ((5 + |Y|) / (5 + 1))^α (Wu et al., 2016, eq. 14); 0 leaves the probability alone.
   */
  readonly lengthPenalty: number;
  readonly startId: number;
  readonly endId: number;
  /** Tokens that are never written, besides the start. Their probability goes to no other. */
  readonly excluded: readonly number[];
}

/** A target that has not ended yet. */
export interface OpenHypothesis {
  readonly tokens: readonly number[];
  readonly logProbability: number;
}

interface Candidate extends OpenHypothesis {
  readonly token: number;
  /** Place among the open hypotheses of the one it extends. */
  readonly parent: number;
}

/**
 * The beam of one source (Sutskever et al., 2014, section 3.2): each step extends every open hypothesis by
 * every token and keeps the likeliest; one that ends leaves the beam, which is narrower from then on.
 * Equally likely ones are taken by the lower token id, then by the rank before. The start and what is excluded are never written.
 */
export class Beam {
  readonly #options: BeamOptions;
  readonly #ended: Hypothesis[] = [];
  #open: readonly OpenHypothesis[] = [{ tokens: [], logProbability: 0 }];

  constructor(options: BeamOptions) {
    this.#options = options;
  }

  get open(): readonly OpenHypothesis[] {
    return this.#open;
  }

  /**
   * @param logits of the next token, [V] for each open hypothesis.
   * @returns for each of the hypotheses now open, the place among those before of the one it extends.
   * @throws LstmError `invalidSampling` for logits that are not finite
   */
  extend(logits: readonly Float32Array[]): readonly number[] {
    const { beamSize, endId } = this.#options;
    const width = beamSize - this.#ended.length;
    const best: Candidate[] = [];
    for (const [parent, hypothesis] of this.#open.entries()) {
      for (const candidate of this.#extensions(hypothesis, parent, logits[parent]!)) {
        insert(best, candidate, width);
      }
    }
    for (const { tokens, logProbability, token } of best) {
      if (token === endId) this.#ended.push(this.#whole(tokens, logProbability));
    }
    const open = best.filter(({ token }) => token !== endId);
    this.#open = open.map(({ tokens, token, logProbability }) => ({
      tokens: [...tokens, token],
      logProbability,
    }));
    return open.map(({ parent }) => parent);
  }

  /** Those that have ended, best first. */
  ranked(): readonly Hypothesis[] {
    return this.#ended.toSorted((a, b) => b.score - a.score || compareTokens(a.tokens, b.tokens));
  }

  *#extensions(
    { tokens, logProbability }: OpenHypothesis,
    parent: number,
    logits: Float32Array,
  ): Generator<Candidate> {
    const { startId, endId, excluded, maxLength } = this.#options;
    const total = logSumOfExps(logits);
    const extension = (token: number): Candidate => ({
      tokens,
      logProbability: logProbability + (logits[token]! - total),
      token,
      parent,
    });
    if (tokens.length === maxLength) {
      yield extension(endId);
      return;
    }
    for (let token = 0; token < logits.length; token++) {
      const isWritten = token !== startId && !excluded.includes(token);
      if (isWritten || token === endId) yield extension(token);
    }
  }

  #whole(tokens: readonly number[], logProbability: number): Hypothesis {
    const penalty = ((5 + tokens.length + 1) / (5 + 1)) ** this.#options.lengthPenalty;
    return { tokens, logProbability, score: logProbability / penalty };
  }
}

/** Keeps `best` sorted and no longer than `width`. */
function insert(best: Candidate[], candidate: Candidate, width: number): void {
  if (best.length === width && !isBefore(candidate, best[width - 1]!)) return;
  let place = best.length;
  while (place > 0 && isBefore(candidate, best[place - 1]!)) place--;
  best.splice(place, 0, candidate);
  if (best.length > width) best.pop();
}

function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.logProbability !== b.logProbability) return a.logProbability > b.logProbability;
  return a.token === b.token ? a.parent < b.parent : a.token < b.token;
}

/** By the first token that differs; of two that start alike, the shorter one first. */
function compareTokens(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((token, n) => token !== b[n]);
  if (at === -1) return a.length - b.length;
  return at === b.length ? 1 : a[at]! - b[at]!;
}

function logSumOfExps(logits: Float32Array): number {
  let max = -Infinity;
  for (const logit of logits) {
    if (!Number.isFinite(logit)) {
      throw new LstmError("invalidSampling", `translate: a logit is ${logit}, not a finite number`);
    }
    max = Math.max(max, logit);
  }
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - max);
  return max + Math.log(sum);
}
