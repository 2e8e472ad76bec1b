import { EventEmitter } from "node:events";

import { describe, expect, it } from "vitest";

import { watchStrayErrors } from "./index.js";

describe("errors that nobody caught", () => {
  it("are the first one and further ones, of either kind, until nobody watches", () => {
    const source = new EventEmitter();
    const told: unknown[] = [];
    const stop = watchStrayErrors(source, {
      onFirst: (error) => told.push(["first", error]),
      onFurther: (error) => told.push(["further", error]),
    });
    source.emit("unhandledRejection", "one");
    source.emit("uncaughtException", "two");
    source.emit("uncaughtException", "three");
    expect(told).toEqual([
      ["first", "one"],
      ["further", "two"],
      ["further", "three"],
    ]);
    stop();
    expect(source.listenerCount("uncaughtException")).toBe(0);
    expect(source.listenerCount("unhandledRejection")).toBe(0);
  });
});
