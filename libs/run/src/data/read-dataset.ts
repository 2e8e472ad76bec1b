import {
  createTextDataset,
  readPairFiles,
  readSequenceFiles,
  readTextFiles,
  SIDES,
  UNKNOWN_ID,
} from "@ostinato/data";
import type { Dataset, PairDataset, TargetsForm, TextDataset } from "@ostinato/data";

import type { RunConfig } from "../config/index.js";

export interface ReadDataset {
  readonly dataset: Dataset;
  /** What a person should know of the data, a sentence each. */
  readonly notes: readonly string[];
}

type SequenceKeys = Extract<RunConfig["model"], { readonly kind: "sequenceModel" }>;

/**
 * Reads the data that a config names.
 *
 * @throws DataError
 */
export async function readDataset({
  data,
  model,
}: Pick<RunConfig, "data" | "model">): Promise<ReadDataset> {
  if (data.kind === "text") {
    const { files, baseDirectory } = data;
    const { text, notes } = await readTextFiles({ files, baseDirectory });
    const dataset = createTextDataset(text, data);
    return { dataset, notes: [...notes, ...unknownNotes(dataset)] };
  }
  if (data.kind === "pairs") {
    const { dataset, notes } = await readPairFiles(data);
    return { dataset, notes: [...notes, ...unknownTokenNotes(dataset)] };
  }
  if (model.kind !== "sequenceModel") throw new RangeError("sequences need a sequenceModel");
  return readSequenceFiles({ ...data, targets: targetsForm(model) });
}

/** What the loss compares with is what the files must have. */
function targetsForm({ loss, output }: Pick<SequenceKeys, "loss" | "output">): TargetsForm {
  if (loss.kind === "ctc") {
    return { kind: "labelSequences", blank: loss.blankIndex, allowShort: loss.zeroInfinity };
  }
  if (loss.kind === "crossEntropy") {
    return { kind: "classes", of: output, ignored: loss.ignoredIndex };
  }
  const range = loss.kind === "binaryCrossEntropy" ? ([0, 1] as const) : null;
  return { kind: "values", of: output, range };
}

const HELD_OUT = ["validation", "test"] as const;

function unknownNotes({ splits }: TextDataset): string[] {
  return HELD_OUT.flatMap((split) => unknownNote(splits[split], `characters of the ${split} part`));
}

function unknownTokenNotes({ splits, ...sides }: PairDataset): string[] {
  return HELD_OUT.flatMap((split) =>
    SIDES.flatMap((side) => {
      const { lengths, ids } = sides[side];
      const { first, count } = splits[split];
      const lengthOf = (end: number): number =>
        lengths.subarray(0, end).reduce((sum, length) => sum + length, 0);
      const ofSplit = ids.subarray(lengthOf(first), lengthOf(first + count));
      const noun = sides.vocabularies[side].form;
      return unknownNote(ofSplit, `${side} ${noun} of the ${split} part`);
    }),
  );
}

function unknownNote(ids: Uint16Array | Int32Array, what: string): string[] {
  let unknown = 0;
  for (const id of ids) if (id === UNKNOWN_ID) unknown += 1;
  return unknown === 0 ? [] : [`${unknown} ${what} are none that the training part has`];
}
