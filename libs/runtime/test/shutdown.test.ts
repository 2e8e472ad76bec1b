import type { ChildProcess } from "node:child_process";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

import type { ShutdownCause } from "../src/index.js";
import { createShutdown, exitCodeOf, ManualClock } from "../src/index.js";

const childFile = fileURLToPath(new URL("./shutdown-child.mjs", import.meta.url));
const parentFile = fileURLToPath(new URL("./shutdown-parent.mjs", import.meta.url));

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** The lines of a process's output, one at a time; undefined at the end. */
function linesOf(child: ChildProcess): () => Promise<string | undefined> {
  started.push(child);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => ((await lines.next()) as IteratorResult<string, undefined>).value;
}

describe("a process that listens for its shutdown", () => {
  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("takes %s, ends in its own time, and has exit code %d", async (signal, code) => {
    const child = spawn(process.execPath, [childFile], { stdio: ["ignore", "pipe", "inherit"] });
    const nextLine = linesOf(child);
    const exit = once(child, "exit");
    expect(await nextLine()).toBe("ready");
    child.kill(signal);
    expect(JSON.parse((await nextLine()) ?? "")).toEqual({ kind: "signal", signal });
    expect(await exit).toEqual([code, null]);
  });

  it("ends with 1 when its parent closes the channel", async () => {
    const child = fork(childFile, { execArgv: [], stdio: ["ignore", "pipe", "inherit", "ipc"] });
    const nextLine = linesOf(child);
    const exit = once(child, "exit");
    expect(await nextLine()).toBe("ready");
    child.disconnect();
    expect(JSON.parse((await nextLine()) ?? "")).toEqual({ kind: "parentGone" });
    expect(await exit).toEqual([1, null]);
  });

  it("ends when its parent dies by SIGKILL", async () => {
    const parent = spawn(process.execPath, [parentFile], { stdio: ["ignore", "pipe", "inherit"] });
    const nextLine = linesOf(parent);
    const first = [await nextLine(), await nextLine()];
    expect(first).toEqual(expect.arrayContaining(["ready", expect.stringMatching(/^child \d+$/)]));
    parent.kill("SIGKILL");
    expect(JSON.parse((await nextLine()) ?? "")).toEqual({ kind: "parentGone" });
    // Its output is closed: the child, the last one to hold it, is gone.
    expect(await nextLine()).toBeUndefined();
  });
});

describe("a shutdown", () => {
  it("is asked for once: the first cause stays", () => {
    const shutdown = createShutdown();
    expect([shutdown.cause, shutdown.exitCode(), shutdown.signal.aborted]).toEqual([
      undefined,
      0,
      false,
    ]);
    shutdown.request({ kind: "signal", signal: "SIGINT" });
    shutdown.request({ kind: "parentGone" });
    expect(shutdown.cause).toEqual({ kind: "signal", signal: "SIGINT" });
    expect([shutdown.exitCode(), shutdown.signal.aborted]).toEqual([130, true]);
    shutdown.dispose();
  });

  it("is insisted on by a later signal, not by one that npm passes on as well", () => {
    const clock = new ManualClock();
    const shutdown = createShutdown(clock);
    const insisted: ShutdownCause[] = [];
    shutdown.onInsist((cause) => insisted.push(cause));
    shutdown.request({ kind: "signal", signal: "SIGINT" });
    clock.advance(5);
    shutdown.request({ kind: "signal", signal: "SIGINT" });
    clock.advance(994);
    shutdown.request({ kind: "signal", signal: "SIGTERM" });
    expect(insisted).toEqual([]);
    clock.advance(1);
    shutdown.request({ kind: "signal", signal: "SIGTERM" });
    expect(insisted).toEqual([{ kind: "signal", signal: "SIGTERM" }]);
    expect(insisted.map(exitCodeOf)).toEqual([143]);
    // The first cause, which began it.
    expect(shutdown.exitCode()).toBe(130);
    shutdown.dispose();
  });

  it("is insisted on by the parent's death, however soon after a signal", () => {
    const shutdown = createShutdown(new ManualClock());
    const insisted: ShutdownCause[] = [];
    shutdown.onInsist((cause) => insisted.push(cause));
    shutdown.request({ kind: "signal", signal: "SIGTERM" });
    shutdown.request({ kind: "parentGone" });
    expect(insisted).toEqual([{ kind: "parentGone" }]);
    expect(insisted.map(exitCodeOf)).toEqual([1]);
    shutdown.dispose();
  });

  it("is not insisted on by its first cause, whatever that is", () => {
    const shutdown = createShutdown(new ManualClock());
    shutdown.onInsist(() => expect.unreachable());
    shutdown.request({ kind: "parentGone" });
    expect(shutdown.exitCode()).toBe(1);
    shutdown.dispose();
  });

  it("leaves no listener behind", () => {
    const count = (): number[] =>
      ["SIGTERM", "SIGINT", "disconnect"].map((event) => process.listenerCount(event));
    const before = count();
    const shutdown = createShutdown();
    expect(count()).not.toEqual(before);
    shutdown.dispose();
    expect(count()).toEqual(before);
  });
});
