import { createTextDataset, readSequenceFiles, readTextFiles, UNKNOWN_ID } from "@ostinato/data";
import type { Dataset, TargetsForm, TextDataset } from "@ostinato/data";

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

function unknownNotes({ splits }: TextDataset): string[] {
  return (["validation", "test"] as const).flatMap((split) => {
    const unknown = splits[split].reduce((count, id) => count + (id === UNKNOWN_ID ? 1 : 0), 0);
    if (unknown === 0) return [];
    return [`${unknown} characters of the ${split} part are none that the training part has`];
  });
}
