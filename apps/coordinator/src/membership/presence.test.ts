import { describe, expect, it } from "vitest";
import { Presence } from "./index.js";

describe("Presence", () => {
  it("begins with nobody", () => {
    const presence = new Presence(1, 100);
    expect(presence).toMatchObject({ isEnough: false, noneSinceMs: 100, tooFewSinceMs: 100 });
    presence.update(1, 200);
    expect(presence).toMatchObject({
      isEnough: true,
      noneSinceMs: undefined,
      tooFewSinceMs: undefined,
    });
  });

  it("tells since when there are too few, however their number changes below the minimum", () => {
    const presence = new Presence(3, 0);
    presence.update(3, 10);
    presence.update(2, 20);
    presence.update(1, 30);
    presence.update(2, 40);
    expect(presence).toMatchObject({ isEnough: false, noneSinceMs: undefined, tooFewSinceMs: 20 });
    presence.update(0, 50);
    expect(presence).toMatchObject({ noneSinceMs: 50, tooFewSinceMs: 20 });
    presence.update(4, 60);
    expect(presence.isEnough).toBe(true);
    presence.update(2, 70);
    expect(presence.tooFewSinceMs).toBe(70);
  });
});
