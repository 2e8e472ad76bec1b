import { describe, expect, it } from "vitest";
import { auditedLeaf } from "./audit-plan.js";

const steps = (numSteps: number): readonly number[] =>
  Array.from({ length: numSteps }, (_, i) => i + 1);

describe("auditedLeaf", () => {
  it("is in one step of each stretch, the same every time, at places that differ", () => {
    const options = { secret: "7", everySteps: 20, numLeaves: 8 };
    const audited = steps(2000).filter((step) => auditedLeaf(options, step) !== undefined);
    expect(audited).toHaveLength(100);
    expect(audited.map((step) => Math.floor((step - 1) / 20))).toEqual(
      steps(100).map((n) => n - 1),
    );
    expect(new Set(audited.map((step) => (step - 1) % 20)).size).toBeGreaterThan(15);
    const leaves = audited.map((step) => auditedLeaf(options, step));
    expect(new Set(leaves)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(audited.map((step) => auditedLeaf(options, step))).toEqual(leaves);
  });

  it("depends on the secret", () => {
    const places = (secret: string): readonly number[] =>
      steps(200).filter(
        (step) => auditedLeaf({ secret, everySteps: 20, numLeaves: 8 }, step) !== undefined,
      );
    expect(places("1")).not.toEqual(places("2"));
  });

  it("is in every step with 1, and in none with null", () => {
    const options = { secret: "1", numLeaves: 4 };
    expect(steps(9).every((n) => auditedLeaf({ ...options, everySteps: 1 }, n) !== undefined)).toBe(
      true,
    );
    expect(steps(9).map((n) => auditedLeaf({ ...options, everySteps: null }, n))).toEqual(
      steps(9).map(() => undefined),
    );
  });
});
