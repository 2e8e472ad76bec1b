/**
 * The optimizers' updates, one pass over the values each. The formulas and the order of operations
 * are those of PyTorch's optimizers (torch/optim: sgd.py, rmsprop.py, adam.py) on float32 tensors,
 * with every result rounded to float32.
 *
 * A float64 operation on float32 values followed by a rounding to float32 is the float32 operation:
 * float64 has more than 2 × 24 + 2 significant bits, hence the double rounding of +, −, ×, ÷ and √
 * changes nothing (Figueroa, "When is double rounding innocuous?", 1995). A store in a Float32Array
 * rounds as Math.fround does.
 */
import { integerPower } from "./integer-power.js";
import { requireEqualLengths } from "./lengths.js";

/** What every update has. The arrays are equally long; scalars are rounded to float32 once. */
export interface ParameterUpdate {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  /** The new parameters; may be `parameters` itself. */
  readonly out: Float32Array;
  /** What the gradient is multiplied with before anything else: 1 / loss weight × clipping. */
  readonly gradientScale: number;
  readonly learningRate: number;
}

export interface MomentumUpdate extends ParameterUpdate {
  /** Updated in place; zeros before the first step. */
  readonly momentumBuffer: Float32Array;
  readonly momentum: number;
  readonly nesterov: boolean;
}

export interface RmspropUpdate extends ParameterUpdate {
  /** Running mean of squared gradients, updated in place; zeros before the first step. */
  readonly squareAverage: Float32Array;
  /** Share of the running mean that stays (PyTorch's alpha). */
  readonly decay: number;
  /** Added after the square root. */
  readonly epsilon: number;
}

export interface RmspropMomentumUpdate extends RmspropUpdate {
  /** Updated in place; zeros before the first step. */
  readonly momentumBuffer: Float32Array;
  readonly momentum: number;
}

export interface AdamUpdate extends ParameterUpdate {
  /** Running mean of gradients, updated in place; zeros before the first step. */
  readonly firstMoment: Float32Array;
  /** Running mean of squared gradients, updated in place; zeros before the first step. */
  readonly secondMoment: Float32Array;
  readonly beta1: number;
  readonly beta2: number;
  /** Added after the square root and its bias correction. */
  readonly epsilon: number;
  /** 1 for the first step; the bias corrections depend on it. */
  readonly step: number;
}

const { fround } = Math;

/**
 * p ← p − η·g
 *
 * @throws {RangeError} for different lengths
 */
export function sgdUpdate(update: ParameterUpdate): void {
  const { parameters, gradient, out } = update;
  requireEqualLengths({ parameters, gradient, out });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    out[i] = parameters[i]! - fround(learningRate * g);
  }
}

/**
 * b ← μ·b + g;  p ← p − η·b, or p − η·(g + μ·b) with `nesterov`. No dampening.
 *
 * @throws {RangeError} for different lengths
 */
export function momentumUpdate(update: MomentumUpdate): void {
  const { parameters, gradient, out, momentumBuffer, nesterov } = update;
  requireEqualLengths({ parameters, gradient, out, momentumBuffer });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const momentum = fround(update.momentum);
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const b = fround(fround(momentum * momentumBuffer[i]!) + g);
    momentumBuffer[i] = b;
    const direction = nesterov ? fround(g + fround(momentum * b)) : b;
    out[i] = parameters[i]! - fround(learningRate * direction);
  }
}

/**
 * v ← α·v + (1 − α)·g²;  p ← p − η·g / (√v + ε)
 *
 * @throws {RangeError} for different lengths
 */
export function rmspropUpdate(update: RmspropUpdate): void {
  const { parameters, gradient, out, squareAverage } = update;
  requireEqualLengths({ parameters, gradient, out, squareAverage });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const decay = fround(update.decay);
  const rest = fround(1 - update.decay);
  const epsilon = fround(update.epsilon);
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const v = fround(fround(decay * squareAverage[i]!) + fround(fround(rest * g) * g));
    squareAverage[i] = v;
    const denominator = fround(fround(Math.sqrt(v)) + epsilon);
    out[i] = parameters[i]! - fround(fround(learningRate * g) / denominator);
  }
}

/**
 * v ← α·v + (1 − α)·g²;  b ← μ·b + g / (√v + ε);  p ← p − η·b
 *
 * @throws {RangeError} for different lengths
 */
export function rmspropMomentumUpdate(update: RmspropMomentumUpdate): void {
  const { parameters, gradient, out, squareAverage, momentumBuffer } = update;
  requireEqualLengths({ parameters, gradient, out, squareAverage, momentumBuffer });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const decay = fround(update.decay);
  const rest = fround(1 - update.decay);
  const epsilon = fround(update.epsilon);
  const momentum = fround(update.momentum);
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const v = fround(fround(decay * squareAverage[i]!) + fround(fround(rest * g) * g));
    squareAverage[i] = v;
    const denominator = fround(fround(Math.sqrt(v)) + epsilon);
    const b = fround(fround(momentum * momentumBuffer[i]!) + fround(g / denominator));
    momentumBuffer[i] = b;
    out[i] = parameters[i]! - fround(learningRate * b);
  }
}

/**
 * m ← m + (1 − β₁)·(g − m);  v ← β₂·v + (1 − β₂)·g²;
 * p ← p − (η / (1 − β₁ᵗ))·m / (√v / c + ε)  with  c = √(1 − β₂ᵗ), the powers as {@link integerPower}
 *
 * @throws {RangeError} for different lengths
 */
export function adamUpdate(update: AdamUpdate): void {
  const { parameters, gradient, out, firstMoment, secondMoment, step } = update;
  requireEqualLengths({ parameters, gradient, out, firstMoment, secondMoment });
  const scale = fround(update.gradientScale);
  const rest1 = fround(1 - update.beta1);
  const beta2 = fround(update.beta2);
  const rest2 = fround(1 - update.beta2);
  // The fraction is extended by c: the same formula, with one division a value instead of two.
  const correction = Math.sqrt(1 - integerPower(update.beta2, step));
  const stepSize = fround(
    (update.learningRate / (1 - integerPower(update.beta1, step))) * correction,
  );
  const epsilon = fround(update.epsilon * correction);
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const previous = firstMoment[i]!;
    const m = fround(previous + fround(rest1 * fround(g - previous)));
    const v = fround(fround(beta2 * secondMoment[i]!) + fround(fround(rest2 * g) * g));
    firstMoment[i] = m;
    secondMoment[i] = v;
    const denominator = fround(fround(Math.sqrt(v)) + epsilon);
    out[i] = parameters[i]! - fround(fround(stepSize * m) / denominator);
  }
}
