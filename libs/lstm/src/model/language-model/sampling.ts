import { LstmError } from "../../lstm-error.js";

export interface SamplingOptions {
  readonly temperature: number;
  readonly topP: number;
  readonly excluded: ReadonlySet<number>;
}

/**
 * Draws a token from softmax(logits / temperature), cut to its nucleus: the most likely tokens whose
 * probabilities reach `topP` together (Holtzman et al., The Curious Case of Neural Text
 * Degeneration, 2020). Excluded tokens are taken out before anything else.
 *
 * @param logits [V]; −∞ for a token that has no probability
 * @param draw in [0, 1)
 * @throws LstmError `invalidSampling` for a NaN among the logits, or a greatest one that is not finite
 */
export function sampleToken(
  logits: Float32Array,
  { temperature, topP, excluded }: SamplingOptions,
  draw: number,
): number {
  requireNumbers(logits, excluded);
  const ranked = Array.from(logits.keys())
    .filter((token) => !excluded.has(token))
    .sort((a, b) => logits[b]! - logits[a]! || a - b);
  const [best] = ranked as [number];
  if (!Number.isFinite(logits[best])) throw notFinite(best, logits[best]!);
  if (temperature === 0) return best;
  const weights = ranked.map((token) => Math.exp((logits[token]! - logits[best]!) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const nucleus: number[] = [];
  let mass = 0;
  for (const weight of weights) {
    nucleus.push(weight);
    mass += weight;
    if (mass >= topP * total) break;
  }
  let left = draw * mass;
  for (const [rank, weight] of nucleus.entries()) {
    left -= weight;
    if (left < 0) return ranked[rank]!;
  }
  // Rounding can leave a hair of the mass after the last weight.
  return ranked[nucleus.length - 1]!;
}

/** A NaN has no place in an order: it would be sorted anywhere. */
function requireNumbers(logits: Float32Array, excluded: ReadonlySet<number>): void {
  const first = logits.findIndex((logit, token) => Number.isNaN(logit) && !excluded.has(token));
  if (first !== -1) throw notFinite(first, NaN);
}

function notFinite(token: number, logit: number): LstmError {
  return new LstmError(
    "invalidSampling",
    `the logit of token ${token} is ${logit}; nothing can be drawn (are all parameters finite?)`,
  );
}
