import { requireFractions } from "../dataset/index.js";
import type { SplitFractions } from "../dataset/index.js";
import { eachLine } from "../samples/index.js";
import { distinctFiles, note } from "../text/index.js";
import type { ReadTextFilesOptions } from "../text/index.js";
import type { TokenVocabulary, WrittenSequence } from "../vocabulary/index.js";
import { PairBuilder } from "./pair-builder.js";
import { digestOfPairs } from "./pair-codec.js";
import type { PairDataset } from "./pair-dataset.js";
import { parsePairLine, parseSourceLine, requireForm } from "./pair-line.js";

export interface ReadPairFilesOptions extends ReadTextFilesOptions, SplitFractions {}

export interface PairFiles {
  readonly dataset: PairDataset;
  /** Absolute paths in the order read. */
  readonly files: readonly string[];
  /** What a person should know of the files, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads JSON Lines: each line one pair `{"source": …, "target": …, "weight": 1}`. A side is a string, whose
 * code points are its tokens, or a list of tokens, in all lines the same. The parts follow each other in
 * the order of the files: of n pairs the test part has floor(n · testFraction) at the end, the validation
 * part floor(n · validationFraction) before it, the training part the rest.
 *
 * A side's vocabulary is the tokens of its training part by their code points, ascending. On the source's
 * side they have the ids from 1 on, on the target's side from 3 on; 0 is any other token, of a target 1 the
 * start and 2 the end.
 *
 * @throws DataError 'invalidSample' naming file, line and what is allowed; 'wrongNumberOfSamples' for a
 *   part that would be empty; 'invalidFraction' | 'fileNotFound' | 'unreadable' | 'invalidPattern' |
 *   'packageNotFound'
 */
export async function readPairFiles(options: ReadPairFilesOptions): Promise<PairFiles> {
  requireFractions(options);
  const { files, repeated } = await distinctFiles(options);
  const builder = new PairBuilder();
  for (const file of files) {
    await eachLine(file, (line) => {
      builder.add(parsePairLine(line));
    });
  }
  const content = builder.finish(options);
  return {
    dataset: { kind: "pairs", ...content, digest: digestOfPairs(content) },
    files,
    notes: note("not read again, being a file read by another path:", repeated),
  };
}

/**
 * Reads the `source` of JSON Lines alone, for translation; targets and weights may be there or not.
 *
 * @param vocabulary of the sources: they must be written as its own are
 * @throws DataError 'invalidSample' | 'unreadable'
 */
export async function readSourceLines(
  file: string,
  vocabulary: Pick<TokenVocabulary, "form">,
): Promise<readonly WrittenSequence[]> {
  const sources: WrittenSequence[] = [];
  await eachLine(file, (line) => {
    const source = parseSourceLine(line);
    requireForm("source", source, vocabulary.form, "as in the data that the model was trained on");
    sources.push(source);
  });
  return sources;
}
