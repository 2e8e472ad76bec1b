import { lengthOf } from "./observed-layers.js";
import type { ObservedLayer } from "./observed-layers.js";

/**
 * How far a gradient reaches back in time: for a pass whose loss is on each row's last step alone, the
 * norm ‖∂L/∂a_{T−k}‖ for k = 0, 1, …, where a are a layer's gates before their activations. It is the
 * product of Jacobians of Bengio, Simard and Frasconi (1994) and Pascanu, Mikolov and Bengio (2013,
 * equation 5), carried on to the gates, which the weights' and inputs' gradients are formed from: where
 * it vanishes, the step T − k teaches nothing.
 *
 * The norm is of one row's gradient; of several rows it is the root of the mean square over those that
 * are long enough, so that it does not depend on how many there are. The direction from last to first
 * is told by its time steps too, not in its own order.
 *
 * @param layer seen in a pass over `tokensLastStep` or `sequenceLastStep`.
 * @returns [T], at k.
 */
export function normsByDistance(layer: ObservedLayer): readonly number[] {
  const { numSteps, numRows, gateGradients, name } = layer;
  const isReversed = name.endsWith(".backward");
  const width = gateGradients.length / (numSteps * numRows);
  return Array.from({ length: numSteps }, (_, k) => {
    let [sum, count] = [0, 0];
    for (let row = 0; row < numRows; row++) {
      const length = lengthOf(layer, row);
      if (k >= length) continue;
      const ownStep = isReversed ? k : length - 1 - k;
      const start = (ownStep * numRows + row) * width;
      sum += squaresOf(gateGradients.subarray(start, start + width));
      count++;
    }
    return count === 0 ? 0 : Math.sqrt(sum / count);
  });
}

/**
 * What a layer's gradient is multiplied with from one step to the one before, as a geometric mean over all
 * steps: below 1 it vanishes, above 1 it explodes. 0 where nothing arrives at the first step any more.
 *
 * @returns undefined for a single step, or where there is no gradient at the last.
 */
export function factorPerStep(norms: readonly number[]): number | undefined {
  const [first] = norms;
  const last = norms.at(-1);
  if (first === undefined || last === undefined || norms.length < 2) return undefined;
  const factor = (last / first) ** (1 / (norms.length - 1));
  return Number.isNaN(factor) ? undefined : factor;
}

/** Root of the mean square, over the rows, of what reaches a layer's outputs from above at all steps. */
export function outputGradientNorm({ outputGradients, numRows }: ObservedLayer): number {
  return Math.sqrt(squaresOf(outputGradients) / numRows);
}

/** In float64: the squares of small gradients are below what a float32 holds. */
function squaresOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
