import { columnSumsOfSquares, scaleColumns } from "@ostinato/kernels";

import type { ParameterLayout } from "../layout/index.js";

/** The official code's, which a unit's gradient norm counts for at least in the division. */
const MIN_GRADIENT_NORM = 1e-6;

export interface UnitClip {
  readonly gradient: Float32Array;
  readonly parameters: Float32Array;
  readonly lossWeight: number;
  readonly maxRatio: number;
  readonly epsilon: number;
  readonly out: Float32Array;
}

/**
 * Averages the gradient and clips it unit by unit (Brock, De, Smith, Simonyan, "High-performance
 * large-scale image recognition without normalization", 2021): where ‖Gᵢ‖ > λ·max(‖Wᵢ‖, ε), Gᵢ is
 * multiplied with λ·max(‖Wᵢ‖, ε) / max(‖Gᵢ‖, 1e-6).
 *
 * A unit is what the authors' code takes for one: the weights into an output unit, which is a column of our
 * kernels [in,out] (and of any tensor of two or more axes: what shares its place on the last one), and a
 * vector or a scalar as a whole. All tensors are clipped, those of the head too.
 *
 * @returns whether a unit was clipped
 */
export function clipByUnitNorm(layout: ParameterLayout, clip: UnitClip): boolean {
  const { gradient, parameters, lossWeight, maxRatio, epsilon, out } = clip;
  let clipped = false;
  for (const { shape, offset, size } of layout.tensors) {
    const part = (values: Float32Array): Float32Array => values.subarray(offset, offset + size);
    const numUnits = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
    const weightSquares = columnSumsOfSquares(part(parameters), numUnits);
    const scales = columnSumsOfSquares(part(gradient), numUnits).map((squares, unit) => {
      const norm = Math.sqrt(squares) / lossWeight;
      const maxNorm = maxRatio * Math.max(Math.sqrt(weightSquares[unit] ?? 0), epsilon);
      const isClipped = norm > maxNorm;
      clipped ||= isClipped;
      return (isClipped ? maxNorm / Math.max(norm, MIN_GRADIENT_NORM) : 1) / lossWeight;
    });
    scaleColumns(part(gradient), Float32Array.from(scales), part(out));
  }
  return clipped;
}
