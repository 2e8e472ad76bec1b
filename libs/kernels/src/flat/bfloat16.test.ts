import { describe, expect, it } from "vitest";

import { firstNotBfloat16, roundToBfloat16 } from "./bfloat16.js";

const floatsOf = (bits: Uint32Array): Float32Array => new Float32Array(bits.slice().buffer);
const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);

const INFINITY_BITS = 0x7f800000;

/**
 * The definition: of the two bfloat16 values around a float32 the nearer one, or the one with an even last
 * bit. Both distances are exact in float64, which holds every float32 and, where the next value would be an
 * infinity, 2^128 for it: what it rounds to is decided as if the exponents went on (IEEE 754, 4.3.1).
 */
function nearestBfloat16(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  if (magnitude === INFINITY_BITS) return bits;
  const sign = (bits & 0x80000000) >>> 0;
  const below = magnitude & 0x7fff0000;
  const above = below + 0x10000;
  const valueOf = (pattern: number): number =>
    pattern === INFINITY_BITS ? 2 ** 128 : floatsOf(Uint32Array.of(pattern))[0]!;
  const value = valueOf(magnitude);
  const toBelow = value - valueOf(below);
  const toAbove = valueOf(above) - value;
  const isLower = toBelow < toAbove || (toBelow === toAbove && (below & 0x10000) === 0);
  return (sign | (isLower ? below : above)) >>> 0;
}

/** Each bfloat16, with what decides the rounding in the lower half: around 0, a half and the next one. */
const LOWER_HALVES = [0, 1, 0x3fff, 0x7fff, 0x8000, 0x8001, 0xc000, 0xffff];

function everyUpperHalf(): Uint32Array {
  const bits = new Uint32Array(0x10000 * LOWER_HALVES.length);
  for (let upper = 0; upper < 0x10000; upper++) {
    for (const [n, lower] of LOWER_HALVES.entries()) {
      bits[upper * LOWER_HALVES.length + n] = upper * 0x10000 + lower;
    }
  }
  return bits;
}

describe("roundToBfloat16", () => {
  const round = (values: Float32Array, out = new Float32Array(values.length)): Float32Array => {
    roundToBfloat16(values, out);
    return out;
  };

  it("gives the nearest, ties to even, for every exponent, sign and upper fraction", () => {
    const bits = everyUpperHalf();
    const rounded = bitsOf(round(floatsOf(bits)));
    const wrong = bits.findIndex(
      (pattern, i) =>
        (pattern & 0x7fffffff) <= 0x7f800000 && rounded[i] !== nearestBfloat16(pattern),
    );
    expect(wrong < 0 ? "none" : bits[wrong]!.toString(16)).toBe("none");
  });

  it("gives the values that the definition of bfloat16 has", () => {
    const largest = (2 - 2 ** -7) * 2 ** 127;
    const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;
    // A bfloat16 has 7 bits after the point: around 1 they are 2^-7 apart.
    const pairs: readonly (readonly [number, number])[] = [
      [1 + 2 ** -8, 1],
      [1 + 2 ** -8 + 2 ** -23, 1 + 2 ** -7],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6],
      [-(1 + 3 * 2 ** -8), -(1 + 2 ** -6)],
      [largest, largest],
      [largestFloat32, Infinity],
      [-largestFloat32, -Infinity],
      [2 ** -133, 2 ** -133],
      [2 ** -134, 0],
      [-(2 ** -134), -0],
      [2 ** -134 + 2 ** -149, 2 ** -133],
      [-0, -0],
      [Infinity, Infinity],
    ];
    const rounded = round(Float32Array.from(pairs, ([value]) => value));
    expect([...rounded]).toEqual(pairs.map(([, expected]) => expected));
  });

  it("keeps every NaN a NaN, whose fraction may be in the lower half alone", () => {
    const bits = everyUpperHalf().filter((pattern) => (pattern & 0x7fffffff) > 0x7f800000);
    const rounded = round(floatsOf(bits));
    expect(rounded.findIndex((value) => !Number.isNaN(value))).toBe(-1);
    expect(firstNotBfloat16(rounded)).toBe(-1);
  });

  it("leaves a bfloat16 as it is, and works in place", () => {
    const values = floatsOf(everyUpperHalf());
    const once = round(values);
    expect(firstNotBfloat16(once)).toBe(-1);
    const twice = once.slice();
    round(twice, twice);
    expect(
      Buffer.compare(Buffer.from(bitsOf(twice).buffer), Buffer.from(bitsOf(once).buffer)),
    ).toBe(0);
  });

  it("refuses another length", () => {
    expect(() => round(new Float32Array(2), new Float32Array(3))).toThrow(RangeError);
  });
});

describe("firstNotBfloat16", () => {
  it("finds the first value with a bit that bfloat16 lacks, within a view", () => {
    const whole = Float32Array.of(0.1, 1, -0.5, 1 + 2 ** -7, 1 + 2 ** -8, 0.1);
    expect(firstNotBfloat16(whole)).toBe(0);
    expect(firstNotBfloat16(whole.subarray(1))).toBe(3);
    expect(firstNotBfloat16(whole.subarray(1, 4))).toBe(-1);
  });
});
