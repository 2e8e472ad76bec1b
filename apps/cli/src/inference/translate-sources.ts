/** What an encoder–decoder makes of sources, one after the other. */

import { firstPairs, UNKNOWN_ID } from "@ostinato/data";
import type { PairDataset, WrittenSequence } from "@ostinato/data";
import type { Hypothesis } from "@ostinato/lstm/model";

import type { SampleTranslation } from "../progress/index.js";
import type { Translator } from "./model-kind.js";

export interface TranslationRequest {
  /** Targets followed at once. */
  readonly beamSize: number;
  /** Most tokens of a target. */
  readonly maxLength: number;
  /** α of Wu et al. (2016); 0 ranks by probability alone. */
  readonly lengthPenalty: number;
  /** Targets of a source, from 1 to `beamSize`. */
  readonly numBest: number;
}

/** A target as the data has them. */
export interface RankedTarget {
  readonly target: WrittenSequence;
  /** What targets are ranked by. */
  readonly score: number;
  /** Natural logarithm of the target's probability, its end included. */
  readonly logProbability: number;
}

/** The best target of a source; all of them, best first, where more than one was asked for. */
export interface Translation extends RankedTarget {
  readonly nBest?: readonly RankedTarget[];
}

/** Sources of a batch; a source's targets do not depend on it. */
const BATCH_SIZE = 32;

/** The targets of each source, in their order. The unknown token is never written. */
export function* translateSources(
  translator: Translator,
  sources: readonly WrittenSequence[],
  request: TranslationRequest,
): Generator<Translation> {
  const { vocabularies } = translator;
  const ids = sources.map((source) => vocabularies.source.encode(source));
  for (const found of translateIds(translator, ids, request)) {
    const ranked = found
      .slice(0, request.numBest)
      .map(({ tokens, score, logProbability }): RankedTarget => {
        return { target: vocabularies.target.decode(tokens), score, logProbability };
      });
    const [best] = ranked;
    if (best === undefined) throw new RangeError("a source has no target");
    yield request.numBest === 1 ? best : { ...best, nBest: ranked };
  }
}

/** The same for sources of token ids: hypotheses, best first. */
function* translateIds(
  { model }: Pick<Translator, "model">,
  sources: readonly Int32Array[],
  { beamSize, maxLength, lengthPenalty }: Omit<TranslationRequest, "numBest">,
): Generator<readonly Hypothesis[]> {
  const options = { beamSize, maxLength, lengthPenalty, excluded: [UNKNOWN_ID] };
  for (let first = 0; first < sources.length; first += BATCH_SIZE) {
    const rows = sources.slice(first, first + BATCH_SIZE);
    const numSteps = rows.reduce((most, { length }) => Math.max(most, length), 0);
    const tokens = new Int32Array(numSteps * rows.length);
    for (const [row, ids] of rows.entries()) {
      for (const [t, id] of ids.entries()) tokens[t * rows.length + row] = id;
    }
    const lengths = Int32Array.from(rows, ({ length }) => length);
    yield* model.translate({ numSteps, tokens, lengths }, options);
  }
}

const NUM_SAMPLES = 5;
const BEAM = { beamSize: 5, lengthPenalty: 0 };
/** A target that is not ended at this many times the expected one's tokens is of no interest. */
const LONGEST = 2;

/** What a model makes of the first pairs of the test part, beside what they are. */
export function sampleTranslations(
  translator: Translator,
  dataset: PairDataset,
): readonly SampleTranslation[] {
  const { source, target } = translator.vocabularies;
  return firstPairs(dataset, "test", NUM_SAMPLES).map((pair) => {
    const maxLength = LONGEST * pair.target.length + 1;
    const [found = []] = translateIds(translator, [pair.source], { ...BEAM, maxLength });
    return {
      source: source.decode(pair.source),
      target: target.decode(pair.target),
      translation: target.decode(found[0]?.tokens ?? []),
    };
  });
}
