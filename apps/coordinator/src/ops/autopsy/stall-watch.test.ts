import { ManualClock } from "@ostinato/runtime";
import { beforeEach, describe, expect, it } from "vitest";
import { StallWatch } from "./index.js";
import type { Wait } from "./index.js";

let clock: ManualClock;
let told: string[];
let wait: Wait | undefined;
let watch: StallWatch;

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  wait = undefined;
  watch = new StallWatch(
    { watchMs: 100, stallToldMs: 100, stallRepeatMs: 1000 },
    { clock, find: () => wait, notify: (level, text) => told.push(`${level}: ${text}`) },
  );
  watch.start();
});

function stall(subject: string, cause: string, text = cause): Wait {
  return { subject, cause, sinceMs: clock.now(), text, isStall: true };
}

describe("StallWatch", () => {
  it("tells a stall once, and again after a while, and that it is over with how long it took", () => {
    wait = stall("step 3", "waits on a");
    clock.advance(100);
    clock.advance(900);
    expect(told).toEqual(["warn: waits on a"]);
    clock.advance(100);
    expect(told).toEqual(["warn: waits on a", "warn: waits on a"]);
    wait = undefined;
    clock.advance(100);
    expect(told.at(-1)).toBe("info: step 3 moves again after 1.2 s");
    clock.advance(1000);
    expect(told).toHaveLength(3);
  });

  it("tells another cause of the same stall at once, and counts from the first", () => {
    wait = stall("step 3", "waits on a");
    clock.advance(200);
    wait = stall("step 3", "waits on b");
    clock.advance(100);
    wait = undefined;
    clock.advance(100);
    expect(told).toEqual([
      "warn: waits on a",
      "warn: waits on b",
      "info: step 3 moves again after 0.4 s",
    ]);
  });

  it("says of a step that it moves again before the next one stalls", () => {
    wait = stall("step 3", "waits on a");
    clock.advance(100);
    wait = stall("step 4", "waits on b");
    clock.advance(100);
    expect(told).toEqual([
      "warn: waits on a",
      "info: step 3 moves again after 0.2 s",
      "warn: waits on b",
    ]);
  });

  it("says nothing of what is over soon", () => {
    clock.advance(50);
    wait = stall("step 3", "waits on a");
    clock.advance(50);
    wait = undefined;
    clock.advance(500);
    expect(told).toEqual([]);
  });

  it("does not hold it against others that this process stood still", () => {
    wait = stall("step 3", "waits on a");
    clock.stall(5000);
    expect(told).toEqual([]);
    clock.advance(100);
    expect(told).toEqual(["warn: waits on a"]);
  });

  it("does not warn of what moves slowly, and leaves no timer when it is stopped", () => {
    wait = { ...stall("step 3", "slow"), isStall: false };
    clock.advance(500);
    expect(told).toEqual([]);
    watch.stop();
    expect(clock.numTimers).toBe(0);
  });

  it("tells a stall though it is late each time that it looks", () => {
    wait = stall("step 3", "waits on a");
    for (let i = 0; i < 2; i++) clock.stall(1000);
    expect(told).toEqual(["warn: waits on a"]);
  });
});
