import { describe, expect, it } from "vitest";

import { halfTurnCosine } from "./half-turn-cosine.js";

const bitsOf = (value: number): string => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
};

describe("halfTurnCosine", () => {
  it("is exact where the cosine is", () => {
    expect([0, 1 / 2, 1].map((turn) => halfTurnCosine(turn))).toEqual([1, 0, -1]);
  });

  it("is within 4e-16 of the cosine and never rises", () => {
    let before = 1;
    for (let step = 0; step <= 100_000; step++) {
      const turn = step / 100_000;
      const value = halfTurnCosine(turn);
      if (!(Math.abs(value - Math.cos(Math.PI * turn)) < 4e-16)) expect.fail(`off at ${turn}`);
      if (!(value <= before)) expect.fail(`rises at ${turn}`);
      before = value;
    }
  });

  // Computed by CPython from the definition.
  it.each([
    [0.1, "3fee6f0e134454ff"],
    [0.25, "3fe6a09e667f3bcd"],
    [1 / 3, "3fe0000000000000"],
    [0.49, "3fa015122df75864"],
    [0.7, "bfe2cf2304755a5d"],
    [0.999, "bfeffff5a6a681ff"],
  ])("of %d has defined bits", (turn, bits) => {
    expect(bitsOf(halfTurnCosine(turn))).toBe(bits);
  });
});
