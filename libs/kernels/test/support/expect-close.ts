import { expect } from "vitest";

/** Every value within the tolerance, relative to an expected value above 1. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  expect(actual.length).toBe(expected.length);
  for (let k = 0; k < actual.length; k++) {
    const error = Math.abs(actual[k]! - expected[k]!);
    // Written so that a NaN fails.
    if (!(error <= tolerance * Math.max(1, Math.abs(expected[k]!)))) {
      expect.fail(`value ${k} is ${actual[k]}, expected ${expected[k]}`);
    }
  }
}
