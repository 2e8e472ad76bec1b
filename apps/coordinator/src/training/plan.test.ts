import { describe, expect, it } from "vitest";
import { TrainingPlan } from "./plan.js";

const layout = { stepsPerEpoch: 10 };

describe("TrainingPlan", () => {
  it("numbers steps from 1 through all epochs", () => {
    const plan = new TrainingPlan({ layout, epochs: 3, maxSteps: null, evaluateEverySteps: null });
    expect(plan.totalSteps).toBe(30);
    expect(plan.at(1)).toEqual({ step: 1, epoch: 0, epochStep: 0 });
    expect(plan.at(10)).toEqual({ step: 10, epoch: 0, epochStep: 9 });
    expect(plan.at(11)).toEqual({ step: 11, epoch: 1, epochStep: 0 });
  });

  it("evaluates at the set interval and always at the end", () => {
    const plan = new TrainingPlan({ layout, epochs: 1, maxSteps: 7, evaluateEverySteps: 3 });
    const due = [0, 1, 2, 3, 4, 5, 6, 7].filter((step) => plan.isEvaluationDue(step));
    expect(due).toEqual([3, 6, 7]);
  });
});
