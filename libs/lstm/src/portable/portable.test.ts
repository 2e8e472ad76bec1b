import { readFile } from "node:fs/promises";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { exp, log, pow } from "./index.js";

interface Known {
  /** Correctly rounded. */
  readonly value: number;
  /** Of the definition. */
  readonly bits: string;
}
interface Fixture {
  readonly log: readonly (Known & { readonly x: number })[];
  readonly exp: readonly (Known & { readonly x: number })[];
  readonly pow: readonly (Known & { readonly base: number; readonly exponent: number })[];
}
const file = new URL("../../fixtures/portable.json", import.meta.url);
const fixture = JSON.parse(await readFile(file, "utf8")) as Fixture;

const bitsOf = (value: number): string => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
};
/** Units in the last place of the larger one; exact for subnormal numbers. */
const distance = (is: number, expected: number): number => {
  const apart = BigInt(`0x${bitsOf(is)}`) - BigInt(`0x${bitsOf(expected)}`);
  return Math.abs(Number(apart));
};

describe.each([
  ["log", fixture.log.map(({ x, ...known }) => ({ ...known, of: String(x), is: log(x) }))],
  ["exp", fixture.exp.map(({ x, ...known }) => ({ ...known, of: String(x), is: exp(x) }))],
  [
    "pow",
    fixture.pow.map(({ base, exponent, ...known }) => ({
      ...known,
      of: `${base}, ${exponent}`,
      is: pow(base, exponent),
    })),
  ],
])("%s", (name, cases) => {
  it("is the number in exact arithmetic but for rounding", () => {
    expect(cases.length).toBeGreaterThan(100);
    for (const { of, is, value } of cases) {
      // A unit in the last place is at most 2.2e-16 of the number.
      const allowed = name === "pow" ? 4 : 1;
      expect(distance(is, value), `${name}(${of}) = ${is}, not ${value}`).toBeLessThanOrEqual(
        allowed,
      );
    }
  });

  it("has the bits of its definition", () => {
    for (const { of, is, bits } of cases) expect(bitsOf(is), `${name}(${of})`).toBe(bits);
  });
});

const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true });

describe("the functions", () => {
  it("have the limits that Math's have", () => {
    for (const x of [0, -0, 1, -1, Infinity, -Infinity, NaN]) {
      expect(log(x), `log ${x}`).toBe(Math.log(x));
      if (Math.abs(x) !== 1) expect(exp(x), `exp ${x}`).toBe(Math.exp(x));
      for (const base of [0, 1, 2, 0.5, Infinity, NaN]) {
        const isOnePowerNaN = base === 1 && !Number.isFinite(x);
        if (!isOnePowerNaN) expect(pow(base, x), `${base} ** ${x}`).toBe(Math.pow(base, x));
      }
    }
    expect(exp(709.8)).toBe(Infinity);
    expect(exp(-746)).toBe(0);
    expect(pow(2, 1024)).toBe(Infinity);
    expect(pow(-2, 2)).toBeNaN();
  });

  it("are inverse to each other, and powers add", () => {
    fc.assert(
      fc.property(positive, fc.double({ min: -2, max: 2, noNaN: true }), (x, y) => {
        // The rounding of a logarithm of up to 700 is 5.7e-14, which exp makes a relative error.
        expect(Math.abs(exp(log(x)) / x - 1)).toBeLessThan(1.2e-13);
        expect(pow(x, 1)).toBe(x);
        const near = Math.abs(log(x)) < 300;
        if (near) expect(Math.abs(pow(x, y) * pow(x, -y) - 1)).toBeLessThan(2e-15);
      }),
    );
  });
});
