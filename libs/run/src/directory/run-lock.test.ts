import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { lockOwner, LockTime } from "../../test/support/lock-owner.js";
import { temporaryFolder } from "../../test/support/temporary-folder.js";
import { claimRunLock } from "./run-lock.js";

const folder = temporaryFolder();
let clock: LockTime;
let path: string;
beforeEach(() => {
  clock = new LockTime();
  path = join(folder.path, "coordinator.lock");
});

const inUse = (holder: string): object => ({
  code: "runDirectoryInUse",
  message: `${folder.path}: in use by ${holder}`,
});

describe("a run lock", () => {
  it("tells who holds it, and goes when it is released", () => {
    const lock = claimRunLock(path, lockOwner({ clock, pid: 7 }));
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      pid: 7,
      host: "here",
      startedAt: "2026-11-24T03:15:09.000Z",
      deadlineMs: 30_000,
    });
    lock.requireHeld();
    lock.release();
    lock.release();
    expect(readdirSync(folder.path)).toEqual([]);
    expect(clock.numTimers).toBe(0);
  });

  it("is refused while its holder lives, and left as it is", () => {
    claimRunLock(path, lockOwner({ clock, pid: 7 }));
    const before = readFileSync(path);
    const other = lockOwner({ clock, pid: 8, alive: [7] });
    expect(() => claimRunLock(path, other)).toThrow(
      expect.objectContaining(
        inUse("the coordinator with process id 7 on here, since 2026-11-24T03:15:09.000Z"),
      ),
    );
    expect(readFileSync(path)).toEqual(before);
  });

  it("is taken over from a process of this host that is not there any more", () => {
    claimRunLock(path, lockOwner({ clock, pid: 7 }));
    claimRunLock(path, lockOwner({ clock, pid: 8 })).requireHeld();
    expect(readdirSync(folder.path)).toEqual(["coordinator.lock"]);
  });

  it("is taken over by a process with the holder's own id, as in a container that starts again", () => {
    claimRunLock(path, lockOwner({ clock, pid: 1, alive: [1] }));
    claimRunLock(path, lockOwner({ clock, pid: 1, alive: [1] })).requireHeld();
  });

  it("of another host is taken over only when it had no heartbeat for its deadline", () => {
    const far = { clock, host: "far", deadlineMs: 60_000 };
    claimRunLock(path, lockOwner(far));
    const beating = clock;
    beating.advance(10 * 60_000);
    expect(() => claimRunLock(path, lockOwner({ clock }))).toThrow("in use by");
    // The holder is cut off: time goes on without its heartbeat.
    const later = new LockTime();
    later.advance(10 * 60_000 + 60_000);
    expect(() => claimRunLock(path, lockOwner({ clock: later }))).toThrow("in use by");
    later.advance(1);
    claimRunLock(path, lockOwner({ clock: later })).requireHeld();
  });

  it("that was taken over is lost for the one that wakes up", () => {
    const sleeper = claimRunLock(path, lockOwner({ clock, pid: 7 }));
    const taker = claimRunLock(path, lockOwner({ clock, pid: 8 }));
    expect(() => sleeper.requireHeld()).toThrow(
      expect.objectContaining({
        code: "lockLost",
        message: expect.stringContaining("is held by the coordinator with process id 8 on here"),
      }),
    );
    sleeper.release();
    taker.requireHeld();
    expect(existsSync(path)).toBe(true);
  });

  it("that was removed is lost", () => {
    const lock = claimRunLock(path, lockOwner({ clock }));
    claimRunLock(path, lockOwner({ clock })).release();
    expect(() => lock.requireHeld()).toThrow("the lock was removed; this coordinator stops");
  });

  it("that does not say whose it is goes by its age alone", () => {
    writeFileSync(path, "");
    utimesSync(path, clock.wallTime(), clock.wallTime());
    expect(() => claimRunLock(path, lockOwner({ clock }))).toThrow(
      expect.objectContaining(inUse("another coordinator")),
    );
    clock.advance(30_001);
    claimRunLock(path, lockOwner({ clock })).requireHeld();
  });

  it("needs a folder", () => {
    const nowhere = join(folder.path, "none", "coordinator.lock");
    expect(() => claimRunLock(nowhere, lockOwner({ clock }))).toThrow(
      expect.objectContaining({ code: "notARun" }),
    );
  });
});
