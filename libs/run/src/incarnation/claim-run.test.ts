import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { claimantOf, ClaimTime } from "../../test/support/claimant.js";
import { temporaryFolder } from "../../test/support/temporary-folder.js";
import { claimRun } from "./claim-run.js";

const run = temporaryFolder();
let clock: ClaimTime;
let folder: string;
beforeEach(() => {
  clock = new ClaimTime();
  folder = join(run.path, "incarnations");
});

const inUse = (holder: string): object => ({
  code: "runDirectoryInUse",
  message: `${run.path}: in use by ${holder}`,
});
const since = "since 2026-11-24T03:15:09.000Z";
const linesOf = (name: string): unknown[] =>
  readFileSync(join(folder, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

describe("a claim", () => {
  it("tells who holds it and that it was released, and the next one is a further incarnation", async () => {
    const claim = await claimRun(folder, claimantOf({ clock, pid: 7 }));
    const holder = {
      format: 1,
      incarnation: 1,
      id: expect.any(String) as string,
      process: { pid: 7, host: "here", bootId: "boot", pidNamespace: "pid:[1]", startTicks: 1 },
      since: "2026-11-24T03:15:09.000Z",
      deadlineMs: 30_000,
    };
    expect(linesOf("000001.json")).toEqual([holder]);
    claim.requireHeld();
    claim.release();
    claim.release();
    expect(linesOf("000001.json")).toEqual([holder, { releasedAt: "2026-11-24T03:15:09.000Z" }]);
    expect(clock.numTimers).toBe(0);
    expect(() => claim.requireHeld()).toThrow("incarnation 1 was released; this coordinator stops");
    const next = await claimRun(folder, claimantOf({ clock, pid: 8, alive: [7] }));
    expect(next.incarnation).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(["000001.json", "000002.json"]);
  });

  it("is refused while its holder lives, after the next heartbeat, and left as it is", async () => {
    const claim = await claimRun(folder, claimantOf({ clock, pid: 7 }));
    const told: string[] = [];
    const startMs = clock.wallTime().getTime();
    const other = claimantOf({ clock, pid: 8, alive: [7], onWait: (text) => told.push(text) });
    await expect(clock.until(claimRun(folder, other))).rejects.toMatchObject(
      inUse(`the coordinator with process id 7 on here, ${since}`),
    );
    expect(clock.wallTime().getTime() - startMs).toBeLessThanOrEqual(2000);
    expect(told).toEqual([]);
    claim.requireHeld();
    expect(readdirSync(folder)).toEqual(["000001.json"]);
  });

  it("goes over at once from a process of this machine that is not there any more", async () => {
    await claimRun(folder, claimantOf({ clock, pid: 7 }));
    // No time goes by.
    const taker = await claimRun(folder, claimantOf({ pid: 8 }));
    expect(taker.incarnation).toBe(2);
    taker.requireHeld();
  });

  it("goes over from a process of another machine after its deadline without a heartbeat", async () => {
    // Its clock stands still from now on: it is cut off.
    await claimRun(folder, claimantOf({ host: "far", deadlineMs: 60_000 }));
    const told: string[] = [];
    const startMs = clock.wallTime().getTime();
    const onWait = (text: string): void => void told.push(text);
    const taker = await clock.until(claimRun(folder, claimantOf({ clock, onWait })));
    expect(taker.incarnation).toBe(2);
    expect(clock.wallTime().getTime() - startMs).toBeGreaterThanOrEqual(60_000);
    expect(clock.wallTime().getTime() - startMs).toBeLessThan(61_000);
    expect(told).toEqual([
      `${run.path}: the coordinator with process id 1 on far, ${since} has the run and cannot be ` +
        "seen to have ended; it is taken over if 60.0 s go by without a heartbeat",
    ]);
  });

  it.each([
    ["stands an hour before ours", -3_600_000],
    ["stands an hour after ours", 3_600_000],
  ])("is refused while a holder lives whose clock %s", async (_, aheadMs) => {
    const far = new ClaimTime();
    far.advance(10 * 3_600_000 + aheadMs);
    clock.advance(10 * 3_600_000);
    await claimRun(folder, claimantOf({ clock: far, host: "far" }));
    // Both clocks go at the same pace.
    const advance = clock.advance.bind(clock);
    clock.advance = (ms) => {
      far.advance(ms);
      advance(ms);
    };
    await expect(clock.until(claimRun(folder, claimantOf({ clock })))).rejects.toMatchObject({
      code: "runDirectoryInUse",
    });
  });

  it("goes over soon from a holder that was silent for long already", async () => {
    await claimRun(folder, claimantOf({ host: "far" }));
    utimesSync(join(folder, "000001.json"), 0, 0);
    const startMs = clock.wallTime().getTime();
    await clock.until(claimRun(folder, claimantOf({ clock })));
    expect(clock.wallTime().getTime() - startMs).toBeLessThan(6000);
  });

  it("is won by one of several that take it over at once; the others are refused", async () => {
    await claimRun(folder, claimantOf({ host: "far" }));
    const pids = [11, 12, 13, 14];
    const claimed = await clock.until(
      Promise.allSettled(
        pids.map((pid) => claimRun(folder, claimantOf({ clock, pid, alive: pids }))),
      ),
    );
    const won = claimed.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    expect(won).toHaveLength(1);
    expect(won[0]?.incarnation).toBe(2);
    won[0]?.requireHeld();
    const refused = claimed.filter((one) => one.status === "rejected");
    expect(refused).toHaveLength(3);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "runDirectoryInUse" });
  });

  it("that was superseded is lost for the one that wakes up, who hears of it by its own heartbeat", async () => {
    const sleeping = new ClaimTime();
    const sleeper = await claimRun(folder, claimantOf({ clock: sleeping, pid: 7 }));
    const heard: string[] = [];
    sleeper.onLost(({ message }) => heard.push(message));
    const taker = await claimRun(folder, claimantOf({ pid: 8 }));
    const lost =
      `${run.path}: incarnation 1 was superseded by incarnation 2, ` +
      `the coordinator with process id 8 on here, ${since}; this coordinator stops`;
    expect(() => sleeper.requireHeld()).toThrow(
      expect.objectContaining({ code: "incarnationLost", message: lost }),
    );
    sleeping.advance(1000);
    sleeping.advance(1000);
    expect(heard).toEqual([lost]);
    expect(sleeping.numTimers).toBe(0);
    sleeper.release();
    taker.requireHeld();
  });

  it("that was removed with its folder is lost, though another one has its number by then", async () => {
    const claim = await claimRun(folder, claimantOf({ clock }));
    rmSync(folder, { recursive: true });
    expect(() => claim.requireHeld()).toThrow("incarnation 1 was removed; this coordinator stops");
    await claimRun(folder, claimantOf({ clock, pid: 8 }));
    expect(() => claim.requireHeld()).toThrow("incarnation 1 was removed");
  });

  it("that does not say whose it is goes by its heartbeat alone", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "000004.json"), '{"format":1,"incarn');
    const startMs = clock.wallTime().getTime();
    const claim = await clock.until(claimRun(folder, claimantOf({ clock })));
    expect(claim.incarnation).toBe(5);
    expect(clock.wallTime().getTime() - startMs).toBeGreaterThanOrEqual(5000);
  });

  it("is no longer waited for when the process is to stop", async () => {
    await claimRun(folder, claimantOf({ host: "far" }));
    const stopping = new AbortController();
    const claimed = claimRun(folder, claimantOf({ clock, signal: stopping.signal }));
    clock.advance(1000);
    stopping.abort();
    await expect(claimed).rejects.toBe(stopping.signal.reason);
    expect(clock.numTimers).toBe(0);
    expect(readdirSync(folder)).toEqual(["000001.json"]);
  });

  it("needs a run directory", async () => {
    const nowhere = join(run.path, "none", "incarnations");
    await expect(claimRun(nowhere, claimantOf())).rejects.toMatchObject({ code: "notARun" });
  });
});
