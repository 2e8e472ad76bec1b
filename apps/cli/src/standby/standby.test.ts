import { EventEmitter } from "node:events";

import type { PreparedWorker } from "@ostinato/worker";
import { describe, expect, it } from "vitest";

import { standbyArguments, standBy, startMessage } from "./index.js";

class FakeProcess extends EventEmitter {
  readonly exitCodes: number[] = [];
  connected = true;

  exit(code: number): never {
    this.exitCodes.push(code);
    return undefined as never;
  }
}

const worker = {} as PreparedWorker;

describe("a process that stands by", () => {
  it("prepares a worker of its threads, and goes on with the arguments that it is told", async () => {
    const self = new FakeProcess();
    const prepared: unknown[] = [];
    const standby = standBy(standbyArguments(2), self, (threads) => {
      prepared.push(threads);
      return Promise.resolve(worker);
    });
    self.emit("message", { kind: "something else" });
    self.emit("message", startMessage(["worker", "--name", "w"]));
    expect(await standby).toEqual({ programArguments: ["worker", "--name", "w"], worker });
    expect(prepared).toEqual([2]);
    // From now on that is the worker's own matter.
    self.emit("disconnect");
    expect(self.exitCodes).toEqual([]);
  });

  it("may be told before it is ready", async () => {
    const self = new FakeProcess();
    let ready: (worker: PreparedWorker) => void = () => undefined;
    const standby = standBy(
      standbyArguments(undefined),
      self,
      () => new Promise((resolve) => (ready = resolve)),
    );
    self.emit("message", startMessage(["worker"]));
    ready(worker);
    expect(await standby).toEqual({ programArguments: ["worker"], worker });
  });

  it("ends with the process that started it", () => {
    const self = new FakeProcess();
    void standBy(standbyArguments(1), self, () => Promise.resolve(worker));
    self.emit("disconnect");
    expect(self.exitCodes).toEqual([0]);
  });

  it("is nothing without a process that started it, or when that is gone already", async () => {
    const self = new FakeProcess();
    self.connected = false;
    const standby = standBy(standbyArguments(1), self, () => Promise.reject(new Error("no")));
    expect(await standby).toBeUndefined();
  });

  it("is no other command", async () => {
    const self = new FakeProcess();
    for (const given of [[], ["train", "standby"], ["--help"]]) {
      expect(await standBy(given, self, () => Promise.reject(new Error("no")))).toBeUndefined();
    }
    expect(self.eventNames()).toEqual([]);
  });
});
