import { DataError } from "../data-error.js";
import type { SplitFractions } from "../dataset/index.js";
import { GrowingArray, LineProblem, MAX_SAMPLES, splitsOf } from "../samples/index.js";
import {
  compareCodePoints,
  createTokenVocabulary,
  tokensOf,
  UNKNOWN_ID,
} from "../vocabulary/index.js";
import type { TokenVocabulary, WrittenForm, WrittenSequence } from "../vocabulary/index.js";
import { FIRST_IDS } from "./pair-dataset.js";
import type { PairDataset, Side, SideSamples } from "./pair-dataset.js";
import { formOf, requireForm } from "./pair-line.js";
import type { PairLine } from "./pair-line.js";

/** Lines one after the other → ids; each line must be like the first. */
export class PairBuilder {
  readonly #source = new SideBuilder("source");
  readonly #target = new SideBuilder("target");
  readonly #weights = new GrowingArray(Float32Array);

  /** @throws LineProblem for a line that is not like those before it */
  add({ source, target, weight }: PairLine): void {
    if (this.#weights.length === MAX_SAMPLES) {
      throw new LineProblem(`it is one more than the ${MAX_SAMPLES} pairs that are allowed`);
    }
    this.#source.add(source);
    this.#target.add(target);
    this.#weights.push([weight]);
  }

  /** @throws DataError 'wrongNumberOfSamples' for a part that would be empty */
  finish(fractions: SplitFractions): Omit<PairDataset, "kind" | "digest"> {
    const numPairs = this.#weights.length;
    if (numPairs === 0) {
      throw new DataError("wrongNumberOfSamples", "the files hold no pair", { given: 0 });
    }
    const splits = splitsOf(numPairs, fractions, "pairs");
    const { count } = splits.train;
    const [source, target] = [this.#source.finish(count), this.#target.finish(count)];
    return {
      vocabularies: { source: source.vocabulary, target: target.vocabulary },
      source: source.samples,
      target: target.samples,
      weights: this.#weights.values(),
      splits,
    };
  }
}

/** Numbers tokens as they come; the ids follow once the training part is known. */
class SideBuilder {
  readonly #side: Side;
  readonly #numberOf = new Map<string, number>();
  readonly #numbers = new GrowingArray(Int32Array);
  readonly #lengths = new GrowingArray(Uint32Array);
  #form: WrittenForm | undefined;

  constructor(side: Side) {
    this.#side = side;
  }

  add(sequence: WrittenSequence): void {
    this.#form ??= formOf(sequence);
    requireForm(this.#side, sequence, this.#form, "as in the first pair");
    const numbers = tokensOf(sequence).map((token) => {
      const known = this.#numberOf.get(token);
      if (known !== undefined) return known;
      const number = this.#numberOf.size;
      this.#numberOf.set(token, number);
      return number;
    });
    this.#numbers.push(numbers);
    this.#lengths.push([numbers.length]);
  }

  /** @param numTrain pairs of the training part, the first ones */
  finish(numTrain: number): {
    readonly vocabulary: TokenVocabulary;
    readonly samples: SideSamples;
  } {
    const [numbers, lengths] = [this.#numbers.values(), this.#lengths.values()];
    const numTrained = lengths.subarray(0, numTrain).reduce((sum, length) => sum + length, 0);
    // Tokens are numbered in the order of their first use, so that those of the training part come first.
    const numKnown = numbers.subarray(0, numTrained).reduce((most, n) => Math.max(most, n + 1), 0);
    const tokens = [...this.#numberOf.keys()].slice(0, numKnown).sort(compareCodePoints);
    const firstId = FIRST_IDS[this.#side];
    const vocabulary = createTokenVocabulary({ form: this.#form ?? "characters", tokens, firstId });
    const idOfNumber = Int32Array.from(this.#numberOf.keys(), (token) => vocabulary.idOf(token));
    const ids = numbers.map((number) => idOfNumber[number] ?? UNKNOWN_ID);
    return { vocabulary, samples: { lengths, ids } };
  }
}
