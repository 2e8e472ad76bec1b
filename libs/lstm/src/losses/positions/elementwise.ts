import type { ValuesLoss } from "../loss.js";
import { sigmoid, softplus } from "../special-functions.js";
import { valuesLoss } from "./values-loss.js";

/** (output − target)², as PyTorch's MSELoss. */
export function meanSquared(numTargets: number): ValuesLoss {
  return valuesLoss(numTargets, {
    kind: "meanSquared",
    outputsPerTarget: 1,
    lossOf(target, outputs, first, scale, gradient) {
      const error = outputs[first]! - target;
      if (gradient !== undefined) gradient[first] = scale * 2 * error;
      return error * error;
    },
  });
}

/** |output − target|, as PyTorch's L1Loss; the gradient where both are equal is 0. */
export function meanAbsolute(numTargets: number): ValuesLoss {
  return valuesLoss(numTargets, {
    kind: "meanAbsolute",
    outputsPerTarget: 1,
    lossOf(target, outputs, first, scale, gradient) {
      const error = outputs[first]! - target;
      if (gradient !== undefined) gradient[first] = scale * Math.sign(error);
      return Math.abs(error);
    },
  });
}

/** Half the squared error up to `delta`, linear beyond (Huber 1964), as PyTorch's HuberLoss. */
export function huber(numTargets: number, { delta }: { readonly delta: number }): ValuesLoss {
  return valuesLoss(numTargets, {
    kind: "huber",
    outputsPerTarget: 1,
    lossOf(target, outputs, first, scale, gradient) {
      const error = outputs[first]! - target;
      if (gradient !== undefined) {
        gradient[first] = scale * Math.max(-delta, Math.min(delta, error));
      }
      const size = Math.abs(error);
      return size < delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
    },
  });
}

/**
 * −(w · t · log σ(z) + (1 − t) · log(1 − σ(z))) of the logit z, the target t from 0 to 1 and the
 * positive weight w, as PyTorch's BCEWithLogitsLoss.
 */
export function binaryCrossEntropy(
  numTargets: number,
  { positiveWeight }: { readonly positiveWeight: number },
): ValuesLoss {
  return valuesLoss(numTargets, {
    kind: "binaryCrossEntropy",
    outputsPerTarget: 1,
    allowed: "a number from 0 to 1",
    admits: (target) => target >= 0 && target <= 1,
    lossOf(target, outputs, first, scale, gradient) {
      const logit = outputs[first]!;
      const positive = positiveWeight * target;
      const negative = 1 - target;
      if (gradient !== undefined) {
        gradient[first] = scale * (negative * sigmoid(logit) - positive * sigmoid(-logit));
      }
      return negative * softplus(logit) + positive * softplus(-logit);
    },
  });
}
