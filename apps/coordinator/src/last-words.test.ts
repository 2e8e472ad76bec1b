import { EventEmitter } from "node:events";
import { createLogger, ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";
import type { CoordinatorError } from "./errors/index.js";
import { sayLastWords } from "./last-words.js";

describe("an error that nobody caught", () => {
  function watched() {
    const source = new EventEmitter();
    const clock = new ManualClock();
    const failures: CoordinatorError[] = [];
    let numExits = 0;
    const { logger } = createLogger({ process: "test", console: "none" });
    const stop = sayLastWords(500, {
      ...{ source, clock, logger },
      fail: (error) => failures.push(error),
      exit: () => (numExits += 1),
    });
    return { source, clock, failures, stop, numExits: () => numExits };
  }

  it("fails the run in one line, and ends the process where that takes too long", () => {
    const { source, clock, failures, numExits } = watched();
    const cause = new Error("no such\n thing");
    source.emit("uncaughtException", cause);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({
      code: "internal",
      message: "unexpected: no such thing; the newest checkpoint is kept",
      cause,
    });
    clock.advance(499);
    expect(numExits()).toBe(0);
    clock.advance(1);
    expect(numExits()).toBe(1);
  });

  it("ends the process at once where ending it brings up another one", () => {
    const { source, failures, numExits } = watched();
    source.emit("unhandledRejection", "first");
    source.emit("uncaughtException", new Error("second"));
    expect(failures).toHaveLength(1);
    expect(numExits()).toBe(1);
  });
});
