/** Lines of sequences and pairs, as people write them. */

import type { TargetsForm } from "@ostinato/data";

interface SequenceFile {
  readonly targets: TargetsForm;
  readonly lines: readonly string[];
}

/** Four lines a file: two to train with. */
export const SEQUENCE_LINES: Readonly<Record<"values" | "classes" | "labels", SequenceFile>> = {
  values: {
    targets: { kind: "values", of: "everyStep", range: [-10, 10] },
    lines: Array.from(
      { length: 4 },
      (_, i) => `{"inputs": [[0.5, ${i}], [1.5, 2]], "targets": [[1], [2.5]], "weight": 2}`,
    ),
  },
  classes: {
    targets: { kind: "classes", of: "lastStep", ignored: -100 },
    lines: Array.from({ length: 4 }, (_, i) => `{"inputs": [1, 2, ${i}], "targets": ${i % 2}}`),
  },
  labels: {
    targets: { kind: "labelSequences", blank: 0, allowShort: false },
    lines: Array.from({ length: 4 }, () => `{"inputs": [[1], [2], [3], [4]], "targets": [1, 2]}`),
  },
};

export const PAIR_LINES: readonly string[] = [
  '{"source": "ab", "target": ["one", "two"]}',
  '{"source": "ba", "target": ["two"], "weight": 0.5}',
  '{"source": "a\u{1f600}", "target": []}',
  '{"source": "b", "target": ["three"]}',
];
