import type { Facts } from "../facts.js";

/** Every sample once an epoch, the chain unbroken, each step there once, in order, and what verify finds besides. */
export function ledger({ ledger: records, verified }: Facts): readonly string[] {
  const steps = records.filter((record) => record.type === "step");
  const outOfOrder = steps
    .filter(({ step }, index) => step !== index + 1)
    .map(({ step }) => `step ${step} is not the one after the step before it`);
  return [...verified.problems, ...outOfOrder.slice(0, 3)];
}
