/** Files of samples: texts, and JSON Lines of sequences and pairs. */

import {
  DataError,
  decodeDataset,
  encodeDataset,
  readInputLines,
  readPairFiles,
  readSequenceFiles,
  readSourceLines,
  readTextFiles,
} from "@ostinato/data";
import type { Dataset } from "@ostinato/data";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parserTarget, plainBytes, requireThat } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import { PAIR_LINES, SEQUENCE_LINES } from "./sample-lines.js";
import type { TargetTable } from "./table.js";

const WORDS = [
  '"inputs"',
  '"targets"',
  '"source"',
  '"target"',
  '"weight"',
  "\n",
  "\r\n",
  "[",
  "]",
  "{",
  "}",
  ":",
  "1e39",
  "-100",
  "\ufeff",
  "\\ud800",
  '""',
  "__proto__",
];
const FRACTIONS = { validationFraction: 0.25, testFraction: 0.25 };

/** What was read from lines can be sent to a worker and is the same there. */
const requireSendable = ({ dataset }: { readonly dataset: Dataset }): void => {
  const bytes = plainBytes(encodeDataset(dataset));
  requireThat(
    Buffer.compare(encodeDataset(decodeDataset(bytes)), bytes) === 0,
    () => "samples change when they are sent",
  );
};

function fileTarget<Value>(
  folder: string,
  options: {
    readonly name: string;
    readonly seeds: readonly string[];
    readonly read: (file: string) => Promise<Value>;
    readonly check: (value: Value) => void;
  },
): FuzzTarget {
  const { name, seeds, read, check } = options;
  const file = join(folder, "given.jsonl");
  return parserTarget({
    ...{ name, seeds, words: WORDS, refusals: [DataError], check, cost: 10 },
    parse: (input) => {
      writeFileSync(file, input);
      return read(file);
    },
  });
}

function sequencesTarget(kind: keyof typeof SEQUENCE_LINES): (folder: string) => FuzzTarget {
  const { targets, lines } = SEQUENCE_LINES[kind];
  return (folder) =>
    fileTarget(folder, {
      ...{ name: `${kind}Lines`, seeds: [lines.join("\n")], check: requireSendable },
      read: () =>
        readSequenceFiles({ files: "given.jsonl", baseDirectory: folder, targets, ...FRACTIONS }),
    });
}

export const SAMPLE_FILE_TARGETS = {
  valuesLines: sequencesTarget("values"),
  classesLines: sequencesTarget("classes"),
  labelsLines: sequencesTarget("labels"),
  pairLines: (folder) =>
    fileTarget(folder, {
      ...{ name: "pairLines", seeds: [PAIR_LINES.join("\n")], check: requireSendable },
      read: () => readPairFiles({ files: "given.jsonl", baseDirectory: folder, ...FRACTIONS }),
    }),
  inputLines: (folder) =>
    fileTarget(folder, {
      ...{ name: "inputLines", seeds: [SEQUENCE_LINES.values.lines.join("\n")] },
      read: async (file) => {
        const lines = [];
        for await (const line of readInputLines(file)) lines.push(line);
        return lines;
      },
      check: (lines) => {
        requireThat(
          lines.every(({ length }) => Number.isInteger(length) && length > 0),
          () => "no steps",
        );
      },
    }),
  sourceLines: (folder) =>
    fileTarget(folder, {
      ...{ name: "sourceLines", seeds: [PAIR_LINES.join("\n")] },
      read: (file) => readSourceLines(file, { form: "characters" }),
      check: (sources) => {
        requireThat(
          sources.every((source) => typeof source === "string"),
          () => "no characters",
        );
      },
    }),
  textFile: (folder) =>
    fileTarget(folder, {
      ...{ name: "textFile", seeds: ["a text\r\nof two lines\n", "\ufeffé\u{1f600}"] },
      read: () => readTextFiles({ files: "given.jsonl", baseDirectory: folder }),
      check: ({ text }) => {
        requireThat(
          text !== "" && !text.includes("\r") && !/\p{Surrogate}/u.test(text),
          () => "no text",
        );
      },
    }),
} as const satisfies TargetTable;
