import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { RANDOM_PURPOSES, streamKey } from "./random-key.js";
import type { RandomKey, RandomPurpose } from "./random-key.js";

const purposes = Object.keys(RANDOM_PURPOSES) as RandomPurpose[];
const small = fc.nat(3);
/** Few values of each field, so that keys are often equal or nearly so. */
const anyKey: fc.Arbitrary<RandomKey> = fc.record(
  {
    seed: fc.oneof(small, fc.constant(2 ** 32 - 1)),
    step: fc.oneof(small, fc.constant(2 ** 32 - 1)),
    purpose: fc.constantFrom(...purposes),
    layer: small,
    leaf: fc.oneof(small, fc.constant(2 ** 32 - 2)),
    row: fc.oneof(small, fc.constant(2 ** 32 - 2)),
  },
  { requiredKeys: ["seed", "step", "purpose", "layer"] },
);

const nameOf = ({ seed, step, purpose, layer, leaf, row }: RandomKey): string =>
  [seed, step, purpose, layer, leaf ?? "none", row ?? "none"].join("/");

describe("streamKey", () => {
  it("is the same for equal keys and differs for different ones", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        if (nameOf(a) === nameOf(b)) expect(streamKey(a)).toEqual(streamKey(b));
        else expect(streamKey(a)).not.toEqual(streamKey(b));
      }),
      { numRuns: 2000 },
    );
  });

  it("differs when one field differs, and by whether there is a leaf or a row", () => {
    const seed = [0, 1, 2 ** 32 - 1];
    const index = [undefined, 0, 1, 2 ** 32 - 2];
    const alternatives = {
      seed,
      step: seed,
      purpose: purposes,
      layer: seed,
      leaf: index,
      row: index,
    };
    fc.assert(
      fc.property(anyKey, (key) => {
        for (const [field, values] of Object.entries(alternatives)) {
          const variants = values.map((value) => ({ ...key, [field]: value }));
          const streams = variants.map((variant) => streamKey(variant).join());
          expect(new Set(streams).size, field).toBe(values.length);
        }
      }),
    );
  });

  it("never repeats over the steps, layers, leaves and rows of a run", () => {
    const seen = new Set<string>();
    for (let step = 0; step < 40; step++) {
      for (let layer = 0; layer < 3; layer++) {
        for (let leaf = 0; leaf < 16; leaf++) {
          for (let row = 0; row < 8; row++) {
            seen.add(streamKey({ seed: 1, step, purpose: "dropout", layer, leaf, row }).join());
          }
        }
      }
    }
    expect(seen.size).toBe(40 * 3 * 16 * 8);
  });

  it("has a number of its own for every purpose", () => {
    const numbers = Object.values(RANDOM_PURPOSES);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  const valid: RandomKey = { seed: 1, step: 2, purpose: "dropout", layer: 0, leaf: 3, row: 4 };

  it.each([
    ["seed", -1, 4_294_967_295],
    ["seed", 2 ** 32, 4_294_967_295],
    ["step", 0.5, 4_294_967_295],
    ["layer", NaN, 4_294_967_295],
    ["leaf", 2 ** 32 - 1, 4_294_967_294],
    ["row", Infinity, 4_294_967_294],
  ])("refuses %s %d", (field, value, max) => {
    expect(() => streamKey({ ...valid, [field]: value })).toThrow(
      new LstmError(
        "invalidRandomKey",
        `the ${field} of a random key is ${value}; it must be a whole number from 0 to ${max}`,
      ),
    );
  });
});
