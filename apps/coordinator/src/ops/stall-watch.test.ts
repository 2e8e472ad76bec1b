import { describe, expect, it } from "vitest";
import { StallWatch } from "./index.js";

describe("StallWatch", () => {
  it("tells a stall once, again after a while, and the next stall at once", () => {
    const told: string[] = [];
    const watch = new StallWatch({ repeatMs: 1000, notify: (text) => told.push(text) });
    watch.check("", 0);
    watch.check("waits on a", 100);
    watch.check("waits on a, longer", 1099);
    expect(told).toEqual(["waits on a"]);
    watch.check("waits on a, still", 1100);
    expect(told).toEqual(["waits on a", "waits on a, still"]);
    watch.check("", 1200);
    watch.check("waits on b", 1300);
    expect(told).toEqual(["waits on a", "waits on a, still", "waits on b"]);
  });
});
