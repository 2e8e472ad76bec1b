import type { ClassesLoss } from "../loss.js";
import { overPositions } from "./position-loss.js";
import { logSumExp } from "../special-functions.js";

interface CrossEntropyOptions {
  /** One a class, or none. */
  readonly classWeights: readonly number[];
  readonly ignoredIndex: number;
  readonly labelSmoothing: number;
}

/**
 * −Σ aₖ log softmax(outputs)ₖ with a = (1 − s) · w_y at the target y plus s · wₖ / C at every class k,
 * for class weights w and label smoothing s (Szegedy et al. 2016): PyTorch's CrossEntropyLoss. As its
 * 'mean' has it, a position's share of the denominator is w_y, whatever the smoothing.
 */
export function crossEntropy(
  numClasses: number,
  { classWeights, ignoredIndex, labelSmoothing }: CrossEntropyOptions,
): ClassesLoss {
  const weights = classWeights.length === 0 ? new Array<number>(numClasses).fill(1) : classWeights;
  const smoothed = weights.map((weight) => (labelSmoothing * weight) / numClasses);
  const { evaluate, gradient } = overPositions<Int32Array>({
    kind: "crossEntropy",
    outputSize: numClasses,
    targetSize: 1,
    allowed: `a class from 0 to ${numClasses - 1}, or ${ignoredIndex} to be ignored`,
    admits: (target) => target >= 0 && target < numClasses,
    share(targets, position) {
      const target = targets[position]!;
      // What is not a class is refused before anything is added up.
      return target === ignoredIndex ? undefined : (weights[target] ?? 0);
    },
    lossAt({ outputs, targets }, position, weight, outputGradient) {
      const first = position * numClasses;
      const target = targets[position]!;
      const sharp = (1 - labelSmoothing) * weights[target]!;
      const logSum = logSumExp(outputs, first, numClasses);
      let loss = 0;
      let total = 0;
      for (let c = 0; c < numClasses; c++) {
        const wanted = smoothed[c]! + (c === target ? sharp : 0);
        // A class that nobody wants may be impossible: 0 × −log 0 is 0 here.
        if (wanted === 0) continue;
        loss += wanted * (logSum - outputs[first + c]!);
        total += wanted;
      }
      if (outputGradient !== undefined) {
        for (let c = 0; c < numClasses; c++) {
          const wanted = smoothed[c]! + (c === target ? sharp : 0);
          const probability = Math.exp(outputs[first + c]! - logSum);
          outputGradient[first + c] = weight * (total * probability - wanted);
        }
      }
      return loss;
    },
  });
  return {
    kind: "crossEntropy",
    targetKind: "classes",
    outputSize: numClasses,
    targetSize: 1,
    evaluate,
    gradient,
  };
}
