import { beginEncoding, corrupt, decodeHeader, digestOf, isRecord } from "../dataset/index.js";
import { SPLIT_NAMES } from "../dataset/index.js";
import type { SplitName } from "../dataset/index.js";
import {
  ENTRY_BYTES,
  EntryReader,
  isSize,
  MAX_IDS,
  MAX_SAMPLES,
  rangesOf,
  writeEntries,
} from "../samples/index.js";
import { targetEntries } from "./sequence-dataset.js";
import type {
  SequenceDataset,
  SequenceInputsKind,
  SequenceTargetsKind,
} from "./sequence-dataset.js";

/*
 * Encoded sequences, after the prefix of every data set:
 *
 *   header     {"kind":"sequences","inputs":{"kind":…,"size":n},"targets":{"kind":…,"of":…,"size":n,"ignored":n},
 *              "splits":{"train":n,"validation":n,"test":n}}
 *   uint32…    steps of each sequence
 *   uint32…    labels of each, for label sequences alone
 *   float32…   weight of each
 *   …          inputs: float32 values or int32 ids
 *   …          targets: float32 values or int32 classes and labels
 *
 * Integers and floats are little-endian. The form is canonical, as a text's is.
 */
const MAX_HEADER_BYTES = 4096;
const INPUT_KINDS = ["values", "tokens"] as const;
const TARGET_KINDS = ["values", "classes", "labelSequences"] as const;
const TARGETS_OF = ["everyStep", "lastStep"] as const;

type Content = Pick<SequenceDataset, "inputs" | "targets" | "samples" | "splits">;

interface Header {
  readonly inputs: SequenceInputsKind;
  readonly targets: SequenceTargetsKind;
  readonly splits: Readonly<Record<SplitName, number>>;
}

/** The bytes of a data set; their SHA-256 is its digest. */
export function encodeSequences({ inputs, targets, samples, splits }: Content): Uint8Array {
  const { train, validation, test } = splits;
  const header = encodeHeader({
    inputs,
    targets,
    splits: { train: train.count, validation: validation.count, test: test.count },
  });
  const { lengths, targetLengths, weights } = samples;
  const parts = [lengths, targetLengths, weights, samples.inputs, samples.targets];
  const numEntries = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytes, view, offset } = beginEncoding(header, numEntries * ENTRY_BYTES);
  writeEntries(view, offset, parts);
  return bytes;
}

/** SHA-256 (hex) of the encoded form. */
export function digestOfSequences(content: Content): string {
  return digestOf(encodeSequences(content));
}

/**
 * The data set of some bytes, every length and value checked; nothing is allocated by a length that
 * the bytes themselves do not back.
 *
 * @throws DataError 'corruptDataset'
 */
export function decodeSequences(bytes: Uint8Array): SequenceDataset {
  const { raw, header: headerBytes, offset } = decodeHeader(bytes, MAX_HEADER_BYTES);
  if (!isHeader(raw)) throw corrupt("its header is not that of sequences");
  if (Buffer.compare(encodeHeader(raw), headerBytes) !== 0) {
    throw corrupt("its header is not in canonical form");
  }
  const { inputs, targets, splits: counts } = raw;
  const splits = rangesOf(counts);
  const numSequences = counts.train + counts.validation + counts.test;
  if (numSequences > MAX_SAMPLES) {
    throw corrupt(`it has ${numSequences} sequences; at most ${MAX_SAMPLES} are allowed`);
  }
  const reader = new EntryReader(bytes, offset);
  const isLabels = targets.kind === "labelSequences";
  const lengths = reader.counts(numSequences);
  const zeroLength = lengths.indexOf(0);
  if (zeroLength !== -1) throw corrupt(`sequence ${zeroLength} has no step`);
  const targetLengths = reader.counts(isLabels ? numSequences : 0);
  const weights = reader.weights(numSequences, "sequence");
  const numSteps = sumOf(lengths);
  const isValues = inputs.kind === "values";
  const read = isValues
    ? reader.floats(numSteps * inputs.size)
    : reader.ids(numSteps, "input", inputs.size);
  const numTargets = isLabels
    ? sumOf(targetLengths)
    : targetEntries(targets, targets.of === "everyStep" ? numSteps : 1, 0) *
      (targets.of === "everyStep" ? 1 : numSequences);
  const compared =
    targets.kind === "values"
      ? reader.floats(numTargets)
      : reader.ids(numTargets, "target", targets.size, targets.ignored);
  reader.end();
  return {
    kind: "sequences",
    inputs,
    targets,
    samples: { lengths, targetLengths, weights, inputs: read, targets: compared },
    splits,
    longest: lengths.reduce((most, length) => Math.max(most, length), 0),
    digest: digestOf(bytes),
  };
}

function encodeHeader({ inputs, targets, splits }: Header): Uint8Array {
  const { train, validation, test } = splits;
  const header = {
    kind: "sequences",
    inputs: { kind: inputs.kind, size: inputs.size },
    targets: { kind: targets.kind, of: targets.of, size: targets.size, ignored: targets.ignored },
    splits: { train, validation, test },
  };
  return new TextEncoder().encode(JSON.stringify(header));
}

function isHeader(raw: unknown): raw is Header {
  if (!isRecord(raw)) return false;
  const { inputs, targets, splits } = raw;
  return (
    isRecord(inputs) &&
    isOneOf(INPUT_KINDS, inputs["kind"]) &&
    isSize(inputs["size"], MAX_IDS) &&
    isRecord(targets) &&
    isOneOf(TARGET_KINDS, targets["kind"]) &&
    isOneOf(TARGETS_OF, targets["of"]) &&
    !(targets["kind"] === "labelSequences" && targets["of"] !== "lastStep") &&
    isSize(targets["size"], MAX_IDS) &&
    isIgnored(targets["ignored"], targets["kind"] === "classes") &&
    isRecord(splits) &&
    SPLIT_NAMES.every((name) => isSize(splits[name], MAX_IDS))
  );
}

function isOneOf(names: readonly string[], value: unknown): boolean {
  return typeof value === "string" && names.includes(value);
}

function isIgnored(value: unknown, isOfClasses: boolean): boolean {
  return isOfClasses ? Number.isInteger(value) && value === Number(value) >> 0 : value === null;
}

const sumOf = (values: Uint32Array): number => values.reduce((sum, value) => sum + value, 0);
