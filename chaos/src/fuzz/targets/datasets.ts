/** Encoded data sets, which a coordinator sends and a worker keeps on disk. */

import {
  createTextDataset,
  DataError,
  decodeDataset,
  encodeDataset,
  readPairFiles,
  readSequenceFiles,
} from "@ostinato/data";
import type { Dataset, TargetsForm } from "@ostinato/data";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parserTarget, plainBytes, requireThat } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import { PAIR_LINES, SEQUENCE_LINES } from "./sample-lines.js";
import type { TargetTable } from "./table.js";

const WORDS = [
  "ostidata",
  "text",
  "sequences",
  "pairs",
  "splits",
  "symbols",
  "tokens",
  "values",
  "classes",
  "labelSequences",
  "\\ud800",
  '""',
];

function datasetTarget(name: string, datasets: readonly Dataset[]): FuzzTarget {
  return parserTarget({
    ...{ name, words: WORDS, refusals: [DataError], parse: decodeDataset },
    seeds: datasets.map((dataset) => plainBytes(encodeDataset(dataset))),
    check: (dataset, input) => {
      // One data set has one encoding.
      requireThat(
        Buffer.compare(encodeDataset(dataset), input) === 0,
        () => "a data set has two encodings",
      );
      const digest = createHash("sha256").update(input).digest("hex");
      requireThat(dataset.digest === digest, () => "a data set has another digest than its bytes");
    },
  });
}

const FRACTIONS = { validationFraction: 0.25, testFraction: 0.25 };

export const DATASET_TARGETS = {
  textDataset: () =>
    datasetTarget("textDataset", [createTextDataset("abcab ca\u{1f600}b acb", FRACTIONS)]),
  sequenceDataset: async (folder) => {
    const datasets = Object.entries(SEQUENCE_LINES).map(async ([name, { targets, lines }]) => {
      writeFileSync(join(folder, name), lines.join("\n"));
      const form: TargetsForm = targets;
      const read = await readSequenceFiles({
        files: name,
        baseDirectory: folder,
        targets: form,
        ...FRACTIONS,
      });
      return read.dataset;
    });
    return datasetTarget("sequenceDataset", await Promise.all(datasets));
  },
  pairDataset: async (folder) => {
    writeFileSync(join(folder, "pairs.jsonl"), PAIR_LINES.join("\n"));
    const { dataset } = await readPairFiles({
      files: "pairs.jsonl",
      baseDirectory: folder,
      ...FRACTIONS,
    });
    return datasetTarget("pairDataset", [dataset]);
  },
} as const satisfies TargetTable;
