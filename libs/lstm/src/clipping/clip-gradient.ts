import { clampValues, scaleValues } from "@ostinato/kernels";

import type { ParameterLayout } from "../layout/index.js";
import type { ClippingSpec } from "./clipping-keys.js";
import { normCoefficient } from "./global-norm.js";
import { clipByLayerNorm, layersOf } from "./layer-norm.js";
import { clipByUnitNorm } from "./unit-norm.js";

export interface ClipRequest {
  /** [size]: of the SUM of losses; finite; not changed. */
  readonly gradient: Float32Array;
  /** [size]: what the gradient is of. */
  readonly parameters: Float32Array;
  /** What the sum of losses is divided by; above 0. */
  readonly lossWeight: number;
  /** Norm of the averaged gradient; finite. */
  readonly norm: number;
  /** [size]: memory for the averaged and clipped gradient, used by the kinds that need it. */
  readonly scratch: () => Float32Array;
}

/** The averaged and clipped gradient: `gradient` times `scale`. */
export interface ClipResult {
  /** The request's own, or its scratch. */
  readonly gradient: Float32Array;
  readonly scale: number;
  readonly clipped: boolean;
}

/** Averages a summed gradient and clips the average. */
export type Clipping = (request: ClipRequest) => ClipResult;

/**
 * The clipping of a spec, for gradients of a layout. Every scale is computed in float64, from norms in
 * `sumOfSquares`' order, and rounded to float32 once.
 */
export function createClipping(spec: ClippingSpec, layout: ParameterLayout): Clipping {
  switch (spec.kind) {
    case "none":
      return ({ gradient, lossWeight }) => ({ gradient, scale: 1 / lossWeight, clipped: false });
    case "globalNorm":
      return ({ gradient, lossWeight, norm }) => {
        const coefficient = normCoefficient(norm, spec.maxNorm);
        return { gradient, scale: coefficient / lossWeight, clipped: coefficient < 1 };
      };
    case "value":
      return inScratch(({ gradient, lossWeight }, out) => {
        scaleValues(gradient, 1 / lossWeight, out);
        return clampValues(out, spec.maxValue, out);
      });
    case "layer": {
      const layers = layersOf(layout);
      return inScratch(({ gradient, lossWeight }, out) =>
        clipByLayerNorm(layers, { gradient, lossWeight, maxNorm: spec.maxNorm, out }),
      );
    }
    case "adaptive": {
      const { maxRatio, epsilon } = spec;
      return inScratch((request, out) =>
        clipByUnitNorm(layout, { ...request, maxRatio, epsilon, out }),
      );
    }
    default:
      return spec satisfies never;
  }
}

/** A clipping that is no single factor. */
function inScratch(clip: (request: ClipRequest, out: Float32Array) => boolean): Clipping {
  return (request) => {
    const gradient = request.scratch();
    return { clipped: clip(request, gradient), gradient, scale: 1 };
  };
}
