import { createHash } from "node:crypto";

import fc from "fast-check";

import { encodeDataset } from "../../src/index.js";
import type { SequenceDataset, SequenceInputsKind, SequenceTargetsKind } from "../../src/index.js";

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const weight = fc.float({ min: 2 ** -10, max: 8, noNaN: true });

const inputsKind: fc.Arbitrary<SequenceInputsKind> = fc.record({
  kind: fc.constantFrom("values", "tokens"),
  size: fc.integer({ min: 1, max: 3 }),
});

const targetsKind: fc.Arbitrary<SequenceTargetsKind> = fc.oneof(
  fc.record({
    kind: fc.constant("values" as const),
    of: fc.constantFrom("everyStep", "lastStep"),
    size: fc.integer({ min: 1, max: 3 }),
    ignored: fc.constant(null),
  }),
  fc.record({
    kind: fc.constant("classes" as const),
    of: fc.constantFrom("everyStep", "lastStep"),
    size: fc.integer({ min: 1, max: 3 }),
    ignored: fc.constantFrom(-100, 0, 255),
  }),
  fc.record({
    kind: fc.constant("labelSequences" as const),
    of: fc.constant("lastStep" as const),
    size: fc.integer({ min: 2, max: 4 }),
    ignored: fc.constant(null),
  }),
);

/** Any data set of 3 to 12 short sequences, of any kind. */
export const madeDataset: fc.Arbitrary<SequenceDataset> = fc
  .record({
    inputs: inputsKind,
    targets: targetsKind,
    lengths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 12 }),
  })
  .chain(({ inputs, targets, lengths }) => {
    const count = lengths.length;
    const numSteps = lengths.reduce((sum, length) => sum + length, 0);
    const isLabels = targets.kind === "labelSequences";
    return fc
      .record({
        targetLengths: arrayOf(isLabels ? count : 0, fc.integer({ min: 0, max: 2 })),
        weights: arrayOf(count, weight),
        inputs:
          inputs.kind === "values"
            ? arrayOf(numSteps * inputs.size, float).map((values) => Float32Array.from(values))
            : arrayOf(numSteps, fc.nat(inputs.size - 1)).map((ids) => Int32Array.from(ids)),
      })
      .chain((made) => {
        const ofSteps = targets.of === "everyStep" ? numSteps : count;
        const numTargets = isLabels
          ? made.targetLengths.reduce((sum, length) => sum + length, 0)
          : ofSteps * (targets.kind === "values" ? targets.size : 1);
        const values: fc.Arbitrary<Float32Array | Int32Array> =
          targets.kind === "values"
            ? arrayOf(numTargets, float).map((entries) => Float32Array.from(entries))
            : arrayOf(numTargets, fc.nat(targets.size - 1)).map((ids) => Int32Array.from(ids));
        return values.map((ofTargets): SequenceDataset => {
          const content = {
            inputs,
            targets,
            samples: {
              lengths: Uint32Array.from(lengths),
              targetLengths: Uint32Array.from(made.targetLengths),
              weights: Float32Array.from(made.weights),
              inputs: made.inputs,
              targets: ofTargets,
            },
            splits: {
              train: { first: 0, count: count - 2 },
              validation: { first: count - 2, count: 1 },
              test: { first: count - 1, count: 1 },
            },
          };
          const longest = Math.max(...lengths);
          const dataset = { kind: "sequences", ...content, longest, digest: "" } as const;
          const digest = createHash("sha256").update(encodeDataset(dataset)).digest("hex");
          return { ...dataset, digest };
        });
      });
  });

function arrayOf<T>(length: number, element: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(element, { minLength: length, maxLength: length });
}
