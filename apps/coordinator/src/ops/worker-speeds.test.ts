import { describe, expect, it } from "vitest";
import { WorkerSpeeds } from "./index.js";

describe("the speed of a worker", () => {
  it("is that of its last leases, weighted by how long they took", () => {
    const speeds = new WorkerSpeeds();
    expect(speeds.of("a")).toBeNaN();
    speeds.completed("a", 100, 500);
    speeds.completed("a", 50, 1000);
    // 150 samples in 1.5 seconds.
    expect(speeds.of("a")).toBe(100);
    for (let lease = 0; lease < 8; lease++) speeds.completed("a", 30, 100);
    expect(speeds.of("a")).toBe(300);
    expect(speeds.of("b")).toBeNaN();
    speeds.forget("a");
    expect(speeds.of("a")).toBeNaN();
  });
});
