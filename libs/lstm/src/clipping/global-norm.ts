/** PyTorch's, in torch.nn.utils.clip_grad_norm_. */
const NORM_EPSILON = 1e-6;

/**
 * What a gradient of this norm is multiplied with to bring it down to the maximal norm, as
 * torch.nn.utils.clip_grad_norm_ does: min(1, maxNorm / (norm + 1e-6)), in float64.
 */
export function normCoefficient(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + NORM_EPSILON));
}
