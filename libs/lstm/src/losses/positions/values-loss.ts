import type { ValuesLoss } from "../loss.js";
import { overPositions } from "./position-loss.js";

/** The loss of one target value by the head's values for it. */
interface ValueFormula {
  readonly kind: string;
  /** How many of the head's values belong to one target value. */
  readonly outputsPerTarget: number;
  readonly allowed?: string;
  readonly admits?: (target: number) => boolean;
  /**
   * The loss of `target`, from the outputs that start at `first`. Writes, where there is a `gradient`,
   * scale × the derivative with respect to each of them, at the same places.
   */
  readonly lossOf: (
    target: number,
    outputs: Float32Array,
    first: number,
    scale: number,
    gradient: Float32Array | undefined,
  ) => number;
}

/** A position's loss is the mean over its `numTargets` values; every position's share is 1. */
export function valuesLoss(numTargets: number, formula: ValueFormula): ValuesLoss {
  const { kind, outputsPerTarget, lossOf } = formula;
  const outputSize = numTargets * outputsPerTarget;
  const { evaluate, gradient } = overPositions<Float32Array>({
    kind,
    outputSize,
    targetSize: numTargets,
    allowed: `${formula.allowed ?? "a finite number"}, or the position's weight 0`,
    admits: formula.admits ?? Number.isFinite,
    share: () => 1,
    lossAt({ outputs, targets }, position, weight, outputGradient) {
      let sum = 0;
      for (let k = 0; k < numTargets; k++) {
        const target = targets[position * numTargets + k]!;
        const first = position * outputSize + k * outputsPerTarget;
        sum += lossOf(target, outputs, first, weight / numTargets, outputGradient);
      }
      return sum / numTargets;
    },
  });
  return { kind, targetKind: "values", outputSize, targetSize: numTargets, evaluate, gradient };
}
