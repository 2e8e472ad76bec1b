import { beginEncoding, corrupt, decodeHeader, digestOf, isRecord } from "../dataset/index.js";
import { SPLIT_NAMES } from "../dataset/index.js";
import type { SplitName } from "../dataset/index.js";
import {
  ENTRY_BYTES,
  EntryReader,
  isSize,
  MAX_SAMPLES,
  rangesOf,
  writeEntries,
} from "../samples/index.js";
import { createTokenVocabulary, UNKNOWN_ID, WRITTEN_FORMS } from "../vocabulary/index.js";
import type { TokenVocabulary, WrittenForm } from "../vocabulary/index.js";
import { END_ID, FIRST_IDS, SIDES, START_ID } from "./pair-dataset.js";
import type { PairDataset, Side, SideSamples } from "./pair-dataset.js";

/*
 * Encoded pairs, after the prefix of every data set:
 *
 *   header     {"kind":"pairs","source":{"form":…,"tokens":[…]},"target":{"form":…,"tokens":[…]},
 *              "splits":{"train":n,"validation":n,"test":n}}
 *   uint32…    tokens of each source, then of each target
 *   float32…   weight of each pair
 *   int32…     ids of the sources, then of the targets, without start and end
 *
 * Integers and floats are little-endian. The form is canonical, as a text's is.
 */

type Content = Omit<PairDataset, "kind" | "digest">;

interface SideHeader {
  readonly form: WrittenForm;
  readonly tokens: readonly string[];
}

interface Header extends Readonly<Record<Side, SideHeader>> {
  readonly splits: Readonly<Record<SplitName, number>>;
}

/** The bytes of a data set; their SHA-256 is its digest. */
export function encodePairs({
  vocabularies,
  source,
  target,
  weights,
  splits,
}: Content): Uint8Array {
  const { train, validation, test } = splits;
  const header = encodeHeader({
    ...vocabularies,
    splits: { train: train.count, validation: validation.count, test: test.count },
  });
  const parts = [source.lengths, target.lengths, weights, source.ids, target.ids];
  const numEntries = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytes, view, offset } = beginEncoding(header, numEntries * ENTRY_BYTES);
  writeEntries(view, offset, parts);
  return bytes;
}

/** SHA-256 (hex) of the encoded form. */
export function digestOfPairs(content: Content): string {
  return digestOf(encodePairs(content));
}

/**
 * The data set of some bytes, every length and value checked; nothing is allocated by a length that
 * the bytes themselves do not back.
 *
 * @throws DataError 'corruptDataset'
 */
export function decodePairs(bytes: Uint8Array): PairDataset {
  const { raw, header: headerBytes, offset } = decodeHeader(bytes, bytes.length);
  if (!isHeader(raw)) throw corrupt("its header is not that of pairs");
  if (Buffer.compare(encodeHeader(raw), headerBytes) !== 0) {
    throw corrupt("its header is not in canonical form");
  }
  const splits = rangesOf(raw.splits);
  const numPairs = splits.test.first + splits.test.count;
  if (numPairs > MAX_SAMPLES) {
    throw corrupt(`it has ${numPairs} pairs; at most ${MAX_SAMPLES} are allowed`);
  }
  const vocabularies = {
    source: decodeVocabulary(raw.source, "source"),
    target: decodeVocabulary(raw.target, "target"),
  };
  const reader = new EntryReader(bytes, offset);
  const [sources, targets] = [reader.counts(numPairs), reader.counts(numPairs)];
  const empty = sources.indexOf(0);
  if (empty !== -1) throw corrupt(`source ${empty} has no token`);
  const weights = reader.weights(numPairs, "pair");
  const idsOf = (side: Side, lengths: Uint32Array): SideSamples => {
    const numIds = lengths.reduce((sum, length) => sum + length, 0);
    return { lengths, ids: reader.ids(numIds, `${side} token`, vocabularies[side].size) };
  };
  const source = idsOf("source", sources);
  const target = idsOf("target", targets);
  reader.end();
  const reserved = target.ids.findIndex((id) => id === START_ID || id === END_ID);
  if (reserved !== -1) {
    throw corrupt(`target token ${reserved} is ${target.ids[reserved]}, the start or the end`);
  }
  requireOwnVocabulary("source", source, splits.train.count, vocabularies.source);
  requireOwnVocabulary("target", target, splits.train.count, vocabularies.target);
  const digest = digestOf(bytes);
  return { kind: "pairs", vocabularies, source, target, weights, splits, digest };
}

function encodeHeader({ source, target, splits }: Header): Uint8Array {
  const { train, validation, test } = splits;
  const header = {
    kind: "pairs",
    source: { form: source.form, tokens: source.tokens },
    target: { form: target.form, tokens: target.tokens },
    splits: { train, validation, test },
  };
  return new TextEncoder().encode(JSON.stringify(header));
}

function isHeader(raw: unknown): raw is Header {
  if (!isRecord(raw) || raw["kind"] !== "pairs") return false;
  const { splits } = raw;
  return (
    SIDES.every((side) => isSideHeader(raw[side])) &&
    isRecord(splits) &&
    SPLIT_NAMES.every((name) => isSize(splits[name], MAX_SAMPLES))
  );
}

function isSideHeader(raw: unknown): raw is SideHeader {
  if (!isRecord(raw)) return false;
  const { form, tokens } = raw;
  return (
    WRITTEN_FORMS.some((name) => name === form) &&
    Array.isArray(tokens) &&
    tokens.every((token) => typeof token === "string")
  );
}

function decodeVocabulary({ form, tokens }: SideHeader, side: Side): TokenVocabulary {
  try {
    return createTokenVocabulary({ form, tokens, firstId: FIRST_IDS[side] });
  } catch (error) {
    throw corrupt(`${side}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** The vocabulary is that of the training part: no token of one is missing in the other. */
function requireOwnVocabulary(
  side: Side,
  { lengths, ids }: SideSamples,
  numTrain: number,
  { firstId, size }: TokenVocabulary,
): void {
  const numIds = lengths.subarray(0, numTrain).reduce((sum, length) => sum + length, 0);
  const used = new Uint8Array(size);
  for (const id of ids.subarray(0, numIds)) used[id] = 1;
  if (used[UNKNOWN_ID] === 1) throw corrupt(`its training part has an unknown ${side} token`);
  const unused = used.indexOf(0, firstId);
  if (unused === -1) return;
  throw corrupt(`${side} token id ${unused} does not occur in its training part`);
}
