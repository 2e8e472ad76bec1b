import { LstmError } from "../lstm-error.js";

export interface ClipRequest {
  /** Of the gradient of the SUM of losses, over all parameters. */
  readonly sumOfSquares: number;
  /** What the sum of losses is divided by; above 0. */
  readonly lossWeight: number;
  /** The norm that the averaged gradient is scaled down to; undefined: never. */
  readonly maxNorm: number | undefined;
}

export interface ClipResult {
  /** Norm of the averaged gradient before clipping. Not finite if the gradient is not. */
  readonly norm: number;
  /** What the summed gradient is multiplied with: clipping × 1/lossWeight. */
  readonly scale: number;
  readonly clipped: boolean;
}

/** PyTorch's, in torch.nn.utils.clip_grad_norm_. */
const NORM_EPSILON = 1e-6;

/**
 * How much to scale the summed gradient in order to average and to clip it, as
 * torch.nn.utils.clip_grad_norm_ does: by min(1, maxNorm / (norm + 1e-6)). All in float64.
 *
 * A gradient whose norm is not finite can be neither averaged nor clipped: no update may be made
 * with its scale.
 *
 * @throws {LstmError} `invalidClipping` for a loss weight or a maximal norm that is not above 0
 */
export function globalNormClip(request: ClipRequest): ClipResult {
  const { lossWeight, maxNorm } = request;
  requirePositive("the loss weight", lossWeight);
  if (maxNorm !== undefined) requirePositive("the maximal norm", maxNorm);
  const norm = Math.sqrt(request.sumOfSquares) / lossWeight;
  const coefficient = maxNorm === undefined ? 1 : Math.min(1, maxNorm / (norm + NORM_EPSILON));
  return { norm, scale: coefficient / lossWeight, clipped: coefficient < 1 };
}

function requirePositive(what: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw new LstmError("invalidClipping", `${what} is ${value}; it must be a number above 0`);
}
