import { describe, expect, it } from "vitest";

import { inWords } from "./verify.js";

const summary = {
  ...{ steps: 16, skippedSteps: 0, skippedSamples: 0, epochs: 2, samples: 574 },
  ...{ evaluations: 3, resumes: 1, ended: true, stopReason: null, workers: ["worker-1"] },
};

describe("what was verified", () => {
  it("is told in one line", () => {
    expect(inWords(summary)).toBe(
      "verified: 16 steps, 2 whole epochs with each sample used once, 574 samples, " +
        "3 evaluations, 1 resume, 1 worker",
    );
  });

  it("says so if early stopping ended the run", () => {
    expect(inWords({ ...summary, stopReason: "earlyStopping" })).toMatch(
      /^verified: 16 steps, ended by early stopping, 2 whole/,
    );
  });

  it("says so if the run has not ended", () => {
    expect(inWords({ ...summary, ended: false })).toMatch(
      /^verified: 16 steps, not ended, 2 whole/,
    );
  });

  it("does not claim that the samples of skipped steps were used", () => {
    const skipped = { ...summary, skippedSteps: 1, skippedSamples: 40, samples: 534 };
    expect(inWords(skipped)).toContain(
      "16 steps, 1 step skipped (40 samples not used), 2 whole epochs with each other sample used once, 534 samples",
    );
  });
});
