import { addScaled } from "@ostinato/kernels";
import { z } from "zod";

import { key, NOT_NEGATIVE, notNegative, POSITIVE, positive } from "../keys/index.js";
import { pow } from "../portable/index.js";
import { fillNormal } from "../random/index.js";

export const gradientNoiseSchema = z
  .strictObject({
    /** η: the variance at the first step. */
    scale: key(POSITIVE, positive()),
    /** γ: the power of time that the variance falls with. */
    decay: key(NOT_NEGATIVE, notNegative().default(0.55)),
  })
  .readonly();

/** Annealed Gaussian noise on the gradient. */
export type GradientNoise = z.output<typeof gradientNoiseSchema>;

/** Deviates drawn at once: their memory stays in the cache. Not part of the definition. */
const CHUNK = 4096;

/**
 * Adds N(0, η/(1 + t)^γ) to every value, t = step − 1 (Neelakantan et al., "Adding gradient noise improves
 * learning for very deep networks", 2015). Value i gets the float32 product of the standard deviation and
 * normal deviate i of the key (seed, step, purpose `gradientNoise`): the same on every machine.
 *
 * @param gradient changed in place
 * @throws {LstmError} `invalidRandomKey` for a seed or a step that is no whole number below 2³²
 */
export function addGradientNoise(
  gradient: Float32Array,
  { scale, decay }: GradientNoise,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  const deviation = Math.sqrt(scale / pow(step, decay));
  const deviates = new Float32Array(Math.min(CHUNK, gradient.length));
  for (let first = 0; first < gradient.length; first += CHUNK) {
    const chunk = gradient.subarray(first, first + CHUNK);
    const drawn = deviates.subarray(0, chunk.length);
    fillNormal({ seed, step, purpose: "gradientNoise", layer: 0 }, drawn, first);
    addScaled(chunk, deviation, drawn);
  }
}
