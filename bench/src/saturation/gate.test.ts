import { describe, expect, it } from "vitest";

import { Gate } from "./gate.js";

describe("a gate", () => {
  it("lets all go on when the last one is there, each time", async () => {
    const diary: string[] = [];
    const gate = new Gate(2, () => {
      diary.push("all");
      return Promise.resolve();
    });
    const pass = async (name: string): Promise<void> => {
      for (const time of [1, 2]) {
        diary.push(`${name}${time}`);
        await gate.arrive();
      }
      diary.push(`${name} is through`);
    };
    await Promise.all([pass("a"), pass("b")]);
    expect(diary.slice(0, 3)).toEqual(["a1", "b1", "all"]);
    expect(diary.slice(3, 5).sort()).toEqual(["a2", "b2"]);
    expect(diary[5]).toBe("all");
    expect(diary.slice(6).sort()).toEqual(["a is through", "b is through"]);
  });
});
