import type { SequenceDataset } from "@ostinato/data";
import { targetShare } from "@ostinato/lstm";
import type { SequenceModelSpec } from "@ostinato/lstm";

/**
 * What each sequence of a data set counts in the loss: the float64 sum over its target positions, from
 * the first, of its weight × the target's share. A loss adds up a row of its arrays in the same order, to
 * the same bits.
 *
 * @returns [N]
 */
export function sequenceWeights(
  { samples, targets }: Pick<SequenceDataset, "samples" | "targets">,
  loss: SequenceModelSpec["loss"],
): Float64Array {
  const { lengths, weights } = samples;
  const isEveryStep = targets.kind !== "labelSequences" && targets.of === "everyStep";
  const isClasses = targets.kind === "classes";
  let next = 0;
  return Float64Array.from(lengths, (length, sequence) => {
    const weight = weights[sequence] ?? 0;
    const end = next + (isEveryStep ? length : 1);
    let sum = 0;
    for (; next < end; next++) {
      sum += weight * (isClasses ? targetShare(loss, samples.targets[next] ?? 0) : 1);
    }
    return sum;
  });
}
