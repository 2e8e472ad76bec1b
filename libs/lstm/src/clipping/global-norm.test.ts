import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { globalNormClip } from "./global-norm.js";

describe("globalNormClip", () => {
  it("takes the norm of the averaged gradient", () => {
    // The sum (30, 40) over 10 targets averages to (3, 4), whose norm is 5.
    const clip = globalNormClip({ sumOfSquares: 2500, lossWeight: 10, maxNorm: undefined });
    expect(clip).toEqual({ norm: 5, scale: 0.1, clipped: false });
  });

  it("scales down to the maximal norm with one factor, which averages as well", () => {
    // As torch.nn.utils.clip_grad_norm_: 2 / (5 + 1e-6) of the average.
    const clip = globalNormClip({ sumOfSquares: 2500, lossWeight: 10, maxNorm: 2 });
    expect(clip.norm).toBe(5);
    expect(clip.clipped).toBe(true);
    expect(clip.scale).toBeCloseTo(2 / 5.000001 / 10, 15);
  });

  it("scales nothing up", () => {
    const clip = globalNormClip({ sumOfSquares: 2500, lossWeight: 10, maxNorm: 6 });
    expect(clip).toEqual({ norm: 5, scale: 0.1, clipped: false });
    expect(globalNormClip({ sumOfSquares: 0, lossWeight: 4, maxNorm: 1 }).scale).toBe(0.25);
  });

  it("clips a norm within 1e-6 of the maximum, as PyTorch does", () => {
    const at = globalNormClip({ sumOfSquares: 25, lossWeight: 1, maxNorm: 5 });
    expect(at.clipped).toBe(true);
    expect(at.scale).toBeCloseTo(1 - 2e-7, 12);
    expect(globalNormClip({ sumOfSquares: 25, lossWeight: 1, maxNorm: 5.000002 }).clipped).toBe(
      false,
    );
  });

  it.each([NaN, Infinity])("says so when the gradient is not finite (%d)", (sumOfSquares) => {
    const clip = globalNormClip({ sumOfSquares, lossWeight: 2, maxNorm: 1 });
    expect(clip.norm).toBe(sumOfSquares);
  });

  it.each([
    [{ lossWeight: 0, maxNorm: 1 }, "the loss weight is 0; it must be a number above 0"],
    [{ lossWeight: NaN, maxNorm: 1 }, "the loss weight is NaN; it must be a number above 0"],
    [{ lossWeight: 1, maxNorm: 0 }, "the maximal norm is 0; it must be a number above 0"],
  ])("refuses %o", (given, message) => {
    expect(() => globalNormClip({ sumOfSquares: 1, ...given })).toThrow(
      new LstmError("invalidClipping", message),
    );
  });
});
