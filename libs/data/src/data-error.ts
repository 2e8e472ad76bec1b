import { onOneLine } from "./one-line.js";

/** What can be wrong with data or with what is asked of it. */
export type DataErrorCode =
  /** A pattern matched no file. */
  | "fileNotFound"
  /** A path is a folder, a device, or may not be read. */
  | "unreadable"
  /** A file holds no character. */
  | "emptyFile"
  /** A file is not UTF-8; `details.offset` is the first byte that is not. */
  | "invalidUtf8"
  /** The files together exceed the longest string of this platform. */
  | "textTooLarge"
  /** An `npm:` pattern is malformed or names files outside its package. */
  | "invalidPattern"
  /** The package of an `npm:` pattern is not installed. */
  | "packageNotFound"
  /** The training part has more symbols than token ids. */
  | "tooManySymbols"
  /** A list of symbols is no vocabulary, or an id lies outside it. */
  | "invalidVocabulary"
  /** Split fractions out of range. */
  | "invalidFraction"
  /** Fewer tokens than a batch, a split or a baseline needs. */
  | "textTooShort"
  /** A line of a JSON Lines file is no sample, or not one like those before it; `details.line` is which. */
  | "invalidSample"
  /** Fewer sequences or pairs than the parts of a data set need, or more than it can hold. */
  | "wrongNumberOfSamples"
  /** Bytes that are no encoded data set. */
  | "corruptDataset"
  /** A layout's or batch's argument out of range. */
  | "invalidLayout"
  /** An n-gram model's argument out of range. */
  | "invalidNGram";

/** The numbers and names of an error, for tests and logs; the message says the same in a sentence. */
export type DataErrorDetails = Readonly<Record<string, string | number>>;

/**
 * The one error of this package: a code to branch on, and one line for a person, whatever names and values of a file
 * it was given with.
 */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly code: DataErrorCode;
  readonly details: DataErrorDetails;

  constructor(
    code: DataErrorCode,
    message: string,
    details: DataErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(onOneLine(message), options);
    this.code = code;
    this.details = details;
  }
}
