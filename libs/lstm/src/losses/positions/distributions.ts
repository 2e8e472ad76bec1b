import type { ValuesLoss } from "../loss.js";
import { digammaHalfStep, logGammaHalfStep, sigmoid, softplus } from "../special-functions.js";
import { valuesLoss } from "./values-loss.js";

/**
 * max(q · e, (q − 1) · e) of the error e = target − output, the mean over the quantiles q (Koenker and
 * Bassett, "Regression quantiles", 1978). For each target value the head gives one output a quantile,
 * in their order. The gradient where e is 0 is 0.
 */
export function quantile(
  numTargets: number,
  { quantiles }: { readonly quantiles: readonly number[] },
): ValuesLoss {
  const numQuantiles = quantiles.length;
  return valuesLoss(numTargets, {
    kind: "quantile",
    outputsPerTarget: numQuantiles,
    lossOf(target, outputs, first, scale, gradient) {
      let sum = 0;
      for (const [i, q] of quantiles.entries()) {
        const error = target - outputs[first + i]!;
        const slope = error > 0 ? q : error < 0 ? q - 1 : 0;
        if (gradient !== undefined) gradient[first + i] = (scale * -slope) / numQuantiles;
        sum += slope * error;
      }
      return sum / numQuantiles;
    },
  });
}

const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);
const HALF_LOG_PI = 0.5 * Math.log(Math.PI);

interface ScaleOptions {
  /** Added to the softplus of the raw scale. */
  readonly epsilon: number;
}

/**
 * −log of the normal density. For each target value the head gives the mean and the raw scale r; the
 * standard deviation is softplus(r) + epsilon. PyTorch's GaussianNLLLoss(full=True) with this squared as
 * the variance.
 */
export function gaussian(numTargets: number, { epsilon }: ScaleOptions): ValuesLoss {
  return valuesLoss(numTargets, {
    kind: "gaussian",
    outputsPerTarget: 2,
    lossOf(target, outputs, first, scale, gradient) {
      const rawDeviation = outputs[first + 1]!;
      const deviation = softplus(rawDeviation) + epsilon;
      const z = (target - outputs[first]!) / deviation;
      if (gradient !== undefined) {
        gradient[first] = (scale * -z) / deviation;
        gradient[first + 1] = ((scale * (1 - z * z)) / deviation) * sigmoid(rawDeviation);
      }
      return 0.5 * z * z + Math.log(deviation) + HALF_LOG_2_PI;
    },
  });
}

/** Below it the variance is infinite. */
const MIN_DEGREES_OF_FREEDOM = 2;

/**
 * −log of Student's t density, whose heavy tails forgive outliers (as in DeepAR implementations: Salinas
 * et al. 2020, GluonTS). For each target value the head gives the location, the raw scale r and the raw
 * degrees of freedom d; the scale is softplus(r) + epsilon, the degrees of freedom 2 + softplus(d). The
 * density is that of torch.distributions.StudentT.
 */
export function studentT(numTargets: number, { epsilon }: ScaleOptions): ValuesLoss {
  return valuesLoss(numTargets, {
    kind: "studentT",
    outputsPerTarget: 3,
    lossOf(target, outputs, first, scale, gradient) {
      const rawWidth = outputs[first + 1]!;
      const rawFreedom = outputs[first + 2]!;
      const width = softplus(rawWidth) + epsilon;
      const freedom = MIN_DEGREES_OF_FREEDOM + softplus(rawFreedom);
      const z = (target - outputs[first]!) / width;
      const logTail = Math.log1p((z * z) / freedom);
      if (gradient !== undefined) {
        // The derivative of the tail's term with respect to z.
        const pull = ((freedom + 1) * z) / (freedom + z * z);
        const byFreedom = logTail + (1 - pull * z) / freedom - digammaHalfStep(0.5 * freedom);
        gradient[first] = (scale * -pull) / width;
        gradient[first + 1] = ((scale * (1 - pull * z)) / width) * sigmoid(rawWidth);
        gradient[first + 2] = scale * 0.5 * byFreedom * sigmoid(rawFreedom);
      }
      const normalizer = 0.5 * Math.log(freedom) + HALF_LOG_PI - logGammaHalfStep(0.5 * freedom);
      return 0.5 * (freedom + 1) * logTail + Math.log(width) + normalizer;
    },
  });
}
