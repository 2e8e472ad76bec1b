import { DataError } from "../data-error.js";
import { vocabularyOf } from "../vocabulary/index.js";
import { digestOf, encodeDataset } from "./dataset-codec.js";
import type { TextDataset } from "./text-dataset.js";

export interface SplitFractions {
  /** Share of the code points that follows the training part, 0 to below 1. */
  readonly validationFraction: number;
  /** Share of the code points at the end of the text, 0 to below 1. */
  readonly testFraction: number;
}

/**
 * Splits a text by code points into train | validation | test, contiguous, and encodes it with the
 * vocabulary of its training part. Of n code points the test part has floor(n · testFraction), the
 * validation part floor(n · validationFraction) and the training part the rest.
 *
 * @throws DataError 'invalidFraction', 'textTooShort' for an empty text, 'tooManySymbols'
 */
export function createTextDataset(text: string, fractions: SplitFractions): TextDataset {
  const { validationFraction, testFraction } = fractions;
  requireFractions(fractions);
  const numCodePoints = countCodePoints(text);
  const numTest = Math.floor(numCodePoints * testFraction);
  const numValidation = Math.floor(numCodePoints * validationFraction);
  const numTrain = numCodePoints - numValidation - numTest;
  if (numTrain < 1) {
    throw new DataError(
      "textTooShort",
      `the text has ${numCodePoints} characters; its training part needs at least 1`,
      { given: numCodePoints, needed: 1 },
    );
  }
  const vocabulary = vocabularyOf(text.slice(0, unitsOf(text, numTrain)));
  const tokens = vocabulary.encode(text);
  const splits = {
    train: tokens.slice(0, numTrain),
    validation: tokens.slice(numTrain, numTrain + numValidation),
    test: tokens.slice(numTrain + numValidation),
  };
  return {
    kind: "text",
    vocabulary,
    splits,
    digest: digestOf(encodeDataset({ vocabulary, splits })),
  };
}

/** @throws DataError 'invalidFraction' */
export function requireFractions({ validationFraction, testFraction }: SplitFractions): void {
  for (const [name, value] of Object.entries({ validationFraction, testFraction })) {
    if (!(value >= 0 && value < 1)) {
      throw new DataError(
        "invalidFraction",
        `${name} is ${value}; it must be at least 0 and below 1`,
        { name, value },
      );
    }
  }
  const sum = validationFraction + testFraction;
  if (sum >= 1) {
    throw new DataError(
      "invalidFraction",
      `validationFraction ${validationFraction} and testFraction ${testFraction} add up to ${sum}; the sum must be below 1`,
      { sum },
    );
  }
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _symbol of text) count++;
  return count;
}

/** UTF-16 units of the first `numCodePoints` code points. */
function unitsOf(text: string, numCodePoints: number): number {
  let units = 0;
  let count = 0;
  for (const symbol of text) {
    if (count++ === numCodePoints) break;
    units += symbol.length;
  }
  return units;
}
