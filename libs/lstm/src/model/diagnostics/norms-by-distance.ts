import { lengthOf } from "./observed-layers.js";
import type { ObservedLayer } from "./observed-layers.js";

/** How far a layer's gradient reaches back in time. */
export interface NormsByDistance {
  /** [T]: at k, the norm of the gradient k steps before the last one. */
  readonly norms: readonly number[];
  /** See {@link factorPerStep}. */
  readonly factorPerStep: number | undefined;
}

/**
 * For a pass whose loss is on each row's last step alone, the norm ‖∂L/∂h_{T−k}‖ for k = 0, 1, …: the gradient
 * that comes to the hidden state through all later steps. It is what Hochreiter (1991) and Bengio, Simard and
 * Frasconi (1994) look at, and Pascanu, Mikolov and Bengio (2013, equations 5 to 7): products of the Jacobians
 * ∂h_t/∂h_{t−1}. What reaches an LSTM's past through its cell state alone is not in it until it comes out of
 * a hidden state: see {@link gateNormsByDistance}.
 *
 * The norm is of one row's gradient; of several rows it is the root of the mean square over those that
 * are long enough, so that it does not depend on how many there are. The direction from last to first
 * is told by its time steps too, not in its own order.
 *
 * An encoder's distances are counted from each source's last token, which the loss at the target's end comes to
 * through the decoder; what attention passes to a state directly is in its gradient too.
 *
 * @param layer seen in a pass over `tokensLastStep`, `sequenceLastStep` or `pairsLastStep`.
 */
export function hiddenNormsByDistance(layer: ObservedLayer): NormsByDistance {
  return normsByDistance(layer, layer.hiddenGradients);
}

/**
 * The same of ‖∂L/∂a_{T−k}‖, where a are the layer's gates before their activations. The gradients of weights
 * and inputs are formed from it: where it vanishes, the step T − k teaches nothing.
 */
export function gateNormsByDistance(layer: ObservedLayer): NormsByDistance {
  return normsByDistance(layer, layer.gateGradients);
}

function normsByDistance(layer: ObservedLayer, gradients: Float32Array): NormsByDistance {
  const { numSteps, numRows, name } = layer;
  const isReversed = name.endsWith(".backward");
  const width = gradients.length / (numSteps * numRows);
  const norms = Array.from({ length: numSteps }, (_, k) => {
    let [sum, count] = [0, 0];
    for (let row = 0; row < numRows; row++) {
      const length = lengthOf(layer, row);
      if (k >= length) continue;
      const ownStep = isReversed ? k : length - 1 - k;
      const start = (ownStep * numRows + row) * width;
      sum += squaresOf(gradients.subarray(start, start + width));
      count++;
    }
    return count === 0 ? 0 : Math.sqrt(sum / count);
  });
  return { norms, factorPerStep: factorPerStep(norms) };
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

/**
 * Root of the mean square, over the rows, of what reaches a layer's outputs from outside at all steps: from
 * above, and of an encoder from the decoder that starts from its final states.
 */
export function outputGradientNorm({ outputGradients, numRows }: ObservedLayer): number {
  return Math.sqrt(squaresOf(outputGradients) / numRows);
}

/** In float64: the squares of small gradients are below what a float32 holds. */
function squaresOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
