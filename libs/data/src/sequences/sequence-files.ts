import { requireFractions } from "../dataset/index.js";
import type { SplitFractions } from "../dataset/index.js";
import { eachLine, parsedLines, splitsOf } from "../samples/index.js";
import { distinctFiles, note } from "../text/index.js";
import type { ReadTextFilesOptions } from "../text/index.js";
import { SequenceBuilder } from "./sequence-builder.js";
import type { KnownSizes } from "./sequence-builder.js";
import { digestOfSequences } from "./sequence-codec.js";
import type { SequenceDataset } from "./sequence-dataset.js";
import { parseInputsLine, parseSequenceLine } from "./sequence-line.js";
import type { InputLine, TargetsForm } from "./sequence-line.js";

export interface ReadSequenceFilesOptions
  extends ReadTextFilesOptions, SplitFractions, Partial<KnownSizes> {
  readonly targets: TargetsForm;
}

export interface SequenceFiles {
  readonly dataset: SequenceDataset;
  /** Absolute paths in the order read. */
  readonly files: readonly string[];
  /** What a person should know of the files, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads JSON Lines: each line one sequence `{"inputs": […], "targets": …, "weight": 1}`. The parts
 * follow each other in the order of the files: of n sequences the test part has floor(n · testFraction)
 * at the end, the validation part floor(n · validationFraction) before it, the training part the rest.
 *
 * @throws DataError 'invalidSample' naming file, line and what is allowed; 'wrongNumberOfSamples' for
 *   a part that would be empty; 'invalidFraction' | 'fileNotFound' | 'unreadable' | 'invalidPattern' |
 *   'packageNotFound'
 */
export async function readSequenceFiles(options: ReadSequenceFilesOptions): Promise<SequenceFiles> {
  const { targets, vocabularySize = null, numClasses = null } = options;
  requireFractions(options);
  const { files, repeated } = await distinctFiles(options);
  const builder = new SequenceBuilder(targets, { vocabularySize, numClasses });
  for (const file of files) {
    await eachLine(file, (line) => {
      builder.add(parseSequenceLine(line, targets));
    });
  }
  const built = builder.finish();
  const content = { ...built, splits: splitsOf(builder.numSequences, options, "sequences") };
  return {
    dataset: {
      kind: "sequences",
      ...content,
      longest: content.samples.lengths.reduce((most, length) => Math.max(most, length), 0),
      digest: digestOfSequences(content),
    },
    files,
    notes: note("not read again, being a file read by another path:", repeated),
  };
}

/**
 * Reads the `inputs` of JSON Lines alone, for predictions, line by line; targets and weights may be there
 * or not.
 *
 * @throws DataError 'invalidSample' | 'unreadable'
 */
export function readInputLines(file: string): AsyncGenerator<InputLine, void> {
  return parsedLines(file, parseInputsLine);
}
