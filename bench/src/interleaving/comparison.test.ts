import { describe, expect, it } from "vitest";

import { BenchError } from "../sides/index.js";
import type { Sample, Side } from "../sides/index.js";
import { measureInTurn, ratioOf } from "./index.js";

/** A side that takes what it is told, and keeps a diary with others. */
function fakeSide(name: string, times: readonly number[], diary: string[] = []): Side<string> {
  let taken = 0;
  return {
    name,
    prepare(measured) {
      diary.push(`${name} prepares ${measured}`);
      return Promise.resolve();
    },
    measure(seconds): Promise<Sample> {
      diary.push(`${name} measures ${seconds}`);
      const ms = times[taken++];
      if (ms === undefined) return Promise.reject(new BenchError("sideFailed", `${name}: tired`));
      return Promise.resolve({ ms, details: { half: ms / 2 } });
    },
    close: () => Promise.resolve(),
  };
}

const never = (error: Error): never => {
  throw error;
};

describe("sides measured in turn", () => {
  it("prepares all, then goes around", async () => {
    const diary: string[] = [];
    const sides = [fakeSide("a", [1, 1], diary), fakeSide("b", [1, 1], diary)];
    await measureInTurn(sides, "it", { rounds: 2, seconds: 3 }, never);
    expect(diary).toEqual([
      ...["a prepares it", "b prepares it"],
      ...["a measures 3", "b measures 3", "a measures 3", "b measures 3"],
    ]);
  });

  it("compares within rounds: a slow minute of the machine slows both and changes no ratio", async () => {
    // The last round ran on a machine ten times as slow. Medians of each side alone would do as well
    // here, but their minimum and maximum would not.
    const sides = [fakeSide("a", [2, 4, 20]), fakeSide("b", [3, 4, 30])];
    const [a, b] = await measureInTurn(sides, "it", { rounds: 3, seconds: 1 }, never);
    expect(a).toMatchObject({ medianMs: 4, minMs: 2, maxMs: 20, details: { half: 2 } });
    expect(ratioOf(a!, b!, 1.2)).toEqual({
      ...{ of: "a", to: "b", bar: 1.2 },
      ...{ median: 1.5, min: 1, max: 1.5, perRound: [1.5, 1, 1.5] },
    });
  });

  it("drops who fails and tells of it once", async () => {
    const told: string[] = [];
    const sides = [fakeSide("a", [1]), fakeSide("b", [1, 2, 3])];
    const results = await measureInTurn(sides, "it", { rounds: 3, seconds: 1 }, ({ message }) => {
      told.push(message);
    });
    expect(results.map(({ side }) => side)).toEqual(["b"]);
    expect(told).toEqual(["a: tired"]);
  });

  it("lets a fault of its own through", async () => {
    const broken = { ...fakeSide("a", []), prepare: () => Promise.reject(new TypeError("no")) };
    const rounds = { rounds: 1, seconds: 1 };
    await expect(measureInTurn([broken], "it", rounds, never)).rejects.toThrow(TypeError);
  });
});
