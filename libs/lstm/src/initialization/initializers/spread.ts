import { fillNormal, fillTruncatedNormal, fillUniform } from "../../random/index.js";
import type { RandomKey } from "../../random/index.js";
import { numValues } from "./shape.js";
import type { Shape } from "./shape.js";

/** Uniform from −range to below range. */
export function uniform(
  shape: Shape,
  key: RandomKey,
  { range }: { readonly range: number },
): Float32Array {
  const values = new Float32Array(numValues(shape));
  fillUniform(key, values);
  for (const [i, value] of values.entries()) values[i] = (2 * value - 1) * range;
  return values;
}

/** Normal, of the given mean and standard deviation. */
export function normal(
  shape: Shape,
  key: RandomKey,
  { mean, std }: { readonly mean: number; readonly std: number },
): Float32Array {
  const values = new Float32Array(numValues(shape));
  fillNormal(key, values);
  for (const [i, value] of values.entries()) values[i] = mean + std * value;
  return values;
}

/**
 * Normal, given that it is within `bound` standard deviations of the mean, as PyTorch's trunc_normal_
 * and TensorFlow's truncated_normal: `std` is that of the distribution before it is cut, the values'
 * own is smaller (0.880 of it for a bound of 2).
 */
export function truncatedNormal(
  shape: Shape,
  key: RandomKey,
  { mean, std, bound }: { readonly mean: number; readonly std: number; readonly bound: number },
): Float32Array {
  const values = new Float32Array(numValues(shape));
  fillTruncatedNormal(key, values, bound);
  for (const [i, value] of values.entries()) values[i] = mean + std * value;
  return values;
}

/** The same value everywhere. */
export function constant(shape: Shape, { value }: { readonly value: number }): Float32Array {
  return new Float32Array(numValues(shape)).fill(value);
}

export function zeros(shape: Shape): Float32Array {
  return new Float32Array(numValues(shape));
}
