import {
  corrupt,
  decodeDataset as decodeText,
  decodeHeader,
  encodeDataset as encodeText,
  isRecord,
} from "./dataset/index.js";
import type { TextDataset } from "./dataset/index.js";
import { decodePairs, encodePairs } from "./pairs/index.js";
import type { PairDataset } from "./pairs/index.js";
import { decodeSequences, encodeSequences } from "./sequences/index.js";
import type { SequenceDataset } from "./sequences/index.js";

/** What a run is trained on. */
export type Dataset = TextDataset | SequenceDataset | PairDataset;

/** The bytes of a data set; their SHA-256 is its digest. */
export function encodeDataset(dataset: Dataset): Uint8Array {
  switch (dataset.kind) {
    case "text":
      return encodeText(dataset);
    case "sequences":
      return encodeSequences(dataset);
    case "pairs":
      return encodePairs(dataset);
    default:
      return dataset satisfies never;
  }
}

/**
 * The data set of some bytes, of whichever kind their header names.
 *
 * @throws DataError 'corruptDataset'
 */
export function decodeDataset(bytes: Uint8Array): Dataset {
  const { raw } = decodeHeader(bytes, bytes.length);
  const kind = isRecord(raw) ? raw["kind"] : undefined;
  if (kind === "text") return decodeText(bytes);
  if (kind === "sequences") return decodeSequences(bytes);
  if (kind === "pairs") return decodePairs(bytes);
  throw corrupt("its header is neither that of a text nor that of sequences or pairs");
}
