import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";

import type { ProgressReport } from "./progress-throttle.js";
import { ProgressThrottle } from "./progress-throttle.js";

function throttled(deadlineMs: number): {
  clock: ManualClock;
  throttle: ProgressThrottle;
  sent: ProgressReport[];
} {
  const clock = new ManualClock();
  const sent: ProgressReport[] = [];
  const throttle = new ProgressThrottle(
    { deadlineMs },
    { clock, send: (report) => sent.push(report) },
  );
  return { clock, throttle, sent };
}

describe("ProgressThrottle", () => {
  it("sends the first report at once and then the newest once an interval", () => {
    const { clock, throttle, sent } = throttled(30_000);
    for (let timeSteps = 1; timeSteps <= 5; timeSteps++) {
      throttle.report({ phase: "forward", timeSteps });
    }
    expect(sent).toEqual([{ phase: "forward", timeSteps: 1 }]);
    clock.advance(250);
    expect(sent.slice(1)).toEqual([{ phase: "forward", timeSteps: 5 }]);
  });

  it("reports four times a deadline when the deadline is short", () => {
    const { clock, throttle, sent } = throttled(200);
    throttle.report({ phase: "forward", timeSteps: 1 });
    for (let quarter = 0; quarter < 4; quarter++) {
      throttle.report({ phase: "forward", timeSteps: quarter + 2 });
      clock.advance(50);
    }
    expect(sent.map(({ timeSteps }) => timeSteps)).toEqual([1, 2, 3, 4, 5]);
  });

  it("sends nothing while nothing moves", () => {
    const { clock, throttle, sent } = throttled(1000);
    throttle.report({ phase: "backward", timeSteps: 7 });
    clock.advance(10_000);
    expect(sent).toHaveLength(1);
  });

  it("sends nothing after it is stopped", () => {
    const { clock, throttle, sent } = throttled(1000);
    throttle.report({ phase: "forward", timeSteps: 1 });
    throttle.report({ phase: "forward", timeSteps: 2 });
    throttle.stop();
    clock.advance(10_000);
    expect(sent).toHaveLength(1);
  });
});
