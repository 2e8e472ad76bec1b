import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { fillNormal } from "../random/index.js";
import { addGradientNoise } from "./gradient-noise.js";

const SIZE = 50_000;

function noiseOf(scale: number, decay: number, step: number, seed = 5): Float32Array {
  const gradient = new Float32Array(SIZE);
  addGradientNoise(gradient, { scale, decay }, { seed, step });
  return gradient;
}

describe("addGradientNoise", () => {
  it.each([
    [0.3, 0.55, 1],
    [1, 0.55, 100],
    [0.01, 0, 7],
    [2, 1.5, 9],
  ])("has the variance η/(1 + t)^γ for η = %d, γ = %d, step %i = t + 1", (scale, decay, step) => {
    const noise = noiseOf(scale, decay, step);
    const variance = scale / step ** decay;
    const mean = noise.reduce((sum, x) => sum + x, 0) / SIZE;
    const meanSquare = noise.reduce((sum, x) => sum + x * x, 0) / SIZE;
    // Four standard deviations of the mean, √(σ²/n), and of the mean square, √(2σ⁴/n).
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(variance / SIZE));
    expect(Math.abs(meanSquare / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / SIZE));
  });

  it("adds to each value the deviate of its place, rounded twice", () => {
    // Step 4, η = 1, γ = 1: the standard deviation is 1/2, the product with which is exact.
    const deviates = new Float32Array(SIZE);
    fillNormal({ seed: 5, step: 4, purpose: "gradientNoise", layer: 0 }, deviates);
    const gradient = Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i));
    const expected = gradient.map((g, i) => g + deviates[i]! / 2);
    addGradientNoise(gradient, { scale: 1, decay: 1 }, { seed: 5, step: 4 });
    expect(gradient).toEqual(expected);
  });

  it("depends on the seed and the step", () => {
    const noise = noiseOf(1, 0, 3);
    expect(noiseOf(1, 0, 3)).toEqual(noise);
    expect(noiseOf(1, 0, 4)).not.toEqual(noise);
    expect(noiseOf(1, 0, 3, 6)).not.toEqual(noise);
  });

  it("refuses a seed that is no 32-bit number", () => {
    expect(() => noiseOf(1, 0, 1, -1)).toThrow(LstmError);
  });
});
