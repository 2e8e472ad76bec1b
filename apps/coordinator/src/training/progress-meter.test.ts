import { describe, expect, it } from "vitest";
import { ProgressMeter } from "./progress-meter.js";

describe("ProgressMeter", () => {
  it("knows nothing after one step, however long the first one was waited for", () => {
    const meter = new ProgressMeter();
    meter.step(100, 60_000);
    expect(meter.samplesPerSecond).toBeNaN();
    expect(meter.secondsLeft(10)).toBeNaN();
    expect(meter.secondsLeft(0)).toBe(0);
  });

  it("measures over the last steps", () => {
    const meter = new ProgressMeter();
    meter.step(100, 0);
    // 40 slow steps and then 32 at 50 samples in half a second: the slow ones are out of sight.
    for (let i = 1; i <= 40; i++) meter.step(50, 1000 * i);
    for (let i = 1; i <= 32; i++) meter.step(50, 40_000 + 500 * i);
    expect(meter.samplesPerSecond).toBe(100);
    expect(meter.secondsLeft(8)).toBe(4);
  });
});
