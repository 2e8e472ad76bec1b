import { describe, expect, it } from "vitest";

import type { StepEvent } from "./events.js";
import { formatCount, formatDuration, formatEvaluation, formatStepLine } from "./format.js";
import { formatLiveLine } from "./live-view.js";

const step: StepEvent = {
  kind: "step",
  step: 7,
  totalSteps: 1650,
  epoch: 0,
  // ln 4 nats are 2 bits.
  loss: Math.log(4),
  learningRate: 0.003,
  gradientNorm: 0.41239,
  samplesPerSecond: 31_249,
  workers: 2,
  secondsLeft: 65,
  skipped: false,
  replayed: false,
};

describe("a figure", () => {
  it.each([
    [0, "0"],
    [812.4, "812"],
    [31_249, "31.2k"],
    [999_949, "999.9k"],
    [1_234_567, "1.2M"],
    [Number.NaN, "–"],
  ])("of %d is shown as %s", (value, shown) => {
    expect(formatCount(value)).toBe(shown);
  });

  it.each([
    [0.4, "0s"],
    [42, "42s"],
    [59.6, "1m00s"],
    [187, "3m07s"],
    [7500, "2h05m"],
    [Number.POSITIVE_INFINITY, "–"],
  ])("of %d seconds is shown as %s", (seconds, shown) => {
    expect(formatDuration(seconds)).toBe(shown);
  });
});

describe("a step line", () => {
  it("tells step, loss, bits per character, speed, learning rate, norm, workers and time left", () => {
    expect(formatStepLine(step, "text")).toBe(
      "step    7/1650 · loss 1.386 · 2.000 bits/char · 31.2k tokens/s · lr 3.0e-3 · |g| 0.412 · 2 workers · 1m05s left",
    );
  });

  it("tells of a skipped and of a replayed step, and of one worker", () => {
    const line = formatStepLine({ ...step, skipped: true, replayed: true, workers: 1 }, "text");
    expect(line).toMatch(/· 1 worker · 1m05s left · skipped: not finite · replayed$/);
  });

  it("has no loss where no target of the step counts", () => {
    expect(formatStepLine({ ...step, loss: NaN }, "sequences")).toContain(
      "7/1650 · loss – · 31.2k",
    );
  });

  it("has a learning rate without an exponent's zeros", () => {
    expect(formatStepLine({ ...step, learningRate: 1 }, "text")).toContain("· lr 1.0 ·");
    expect(formatStepLine({ ...step, learningRate: 0 }, "text")).toContain("· lr 0 ·");
  });
});

describe("the figures of sequences", () => {
  it("are the loss as it is and sequences, with no bits", () => {
    expect(formatStepLine(step, "sequences")).toBe(
      "step    7/1650 · loss 1.386 · 31.2k sequences/s · lr 3.0e-3 · |g| 0.412 · 2 workers · 1m05s left",
    );
    expect(formatLiveLine(step, 80, "sequences")).toMatch(/^7\/1650 loss 1\.386 31\.2k seq\/s lr /);
    const event = {
      kind: "evaluation",
      step: 120,
      split: "validation",
      loss: 0.0012344,
      best: false,
    } as const;
    expect(formatEvaluation(event, "sequences")).toBe("validation after step 120 · loss 0.001234");
  });
});

describe("the figures of pairs", () => {
  it("are those of sequences, counted in pairs", () => {
    expect(formatStepLine(step, "pairs")).toContain("loss 1.386 · 31.2k pairs/s · lr");
    expect(formatLiveLine(step, 80, "pairs")).toMatch(/^7\/1650 loss 1\.386 31\.2k pairs\/s lr /);
  });
});

describe("the live line", () => {
  it("shows the share of steps done as a bar", () => {
    expect(formatLiveLine({ ...step, step: 825 }, 200, "text")).toMatch(
      /^█{6}░{6} 825\/1650 · loss/,
    );
    expect(formatLiveLine({ ...step, step: 1650 }, 200, "text")).toMatch(/^█{12} 1650\/1650/);
  });

  it("tells all of it in 80 columns, without the bar", () => {
    expect(formatLiveLine(step, 80, "text")).toBe(
      "7/1650 loss 1.386 2.000 bpc 31.2k tok/s lr 3.0e-3 |g| 0.412 2w 1m05s",
    );
    expect(formatLiveLine(step, 110, "text")).toMatch(/^7\/1650 · loss .* left$/);
  });

  it("is never wider than the terminal", () => {
    const line = formatLiveLine(step, 40, "text");
    expect(line).toHaveLength(40);
    expect(line.endsWith("…")).toBe(true);
  });
});

describe("an evaluation line", () => {
  it("names the part, the step, the loss in nats and in bits, and the best so far", () => {
    const event = {
      kind: "evaluation",
      step: 120,
      split: "validation",
      loss: Math.log(4),
    } as const;
    expect(formatEvaluation({ ...event, best: true }, "text")).toBe(
      "validation after step 120 · loss 1.386 · 2.000 bits/char · best so far",
    );
    expect(formatEvaluation({ ...event, best: false }, "text")).not.toContain("best");
  });
});
