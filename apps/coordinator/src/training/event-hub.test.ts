import type { WatchEvent } from "@ostinato/proto";
import { describe, expect, it } from "vitest";
import { EventHub } from "./index.js";

const notice = (text: string): WatchEvent => ({ kind: "notice", level: "info", text });
const ended: WatchEvent = {
  kind: "ended",
  outcome: "completed",
  reason: "",
  step: 1,
  parametersSha256: "",
};

function step(number: number): WatchEvent {
  return {
    kind: "step",
    step: number,
    totalSteps: 10_000,
    epoch: 0,
    loss: 1,
    learningRate: 1,
    gradientNorm: 1,
    samplesPerSecond: 1,
    workers: 1,
    secondsLeft: 1,
    skipped: false,
    replayed: false,
  };
}

async function all(events: AsyncIterable<WatchEvent>): Promise<readonly WatchEvent[]> {
  const list: WatchEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

describe("EventHub", () => {
  it("tells the first watcher what was said before it came, and no other", async () => {
    const hub = new EventHub();
    hub.emit(notice("early"));
    const first = all(hub.watch(new AbortController().signal));
    const second = all(hub.watch(new AbortController().signal));
    hub.emit(notice("later"));
    hub.emit(ended);
    expect(await first).toEqual([notice("early"), notice("later"), ended]);
    expect(await second).toEqual([notice("later"), ended]);
  });

  it("tells one who comes after the end that it has ended", async () => {
    const hub = new EventHub();
    hub.emit(step(1));
    hub.emit(ended);
    expect(await all(hub.watch(new AbortController().signal))).toEqual([ended]);
  });

  it("drops the oldest steps of a watcher that does not read, before anything else", async () => {
    const hub = new EventHub();
    const watcher = hub.watch(new AbortController().signal);
    const first = watcher.next();
    hub.emit(notice("kept"));
    await first;
    for (let number = 1; number <= 5000; number++) hub.emit(step(number));
    hub.emit(ended);
    const rest = await all(watcher);
    expect(rest.length).toBeLessThan(1100);
    expect(rest.at(-1)).toEqual(ended);
    expect(rest.at(-2)).toMatchObject({ step: 5000 });
  });

  it("drops the oldest of what else a watcher does not read, and says how many", async () => {
    const hub = new EventHub();
    const watcher = hub.watch(new AbortController().signal);
    const first = watcher.next();
    hub.emit(notice("first"));
    await first;
    for (let number = 1; number <= 20_000; number++) hub.emit(notice(`notice ${number}`));
    // No room for it, as steps go first.
    hub.emit(step(1));
    hub.emit(notice("last"));
    hub.emit(ended);
    for (let number = 1; number <= 2000; number++) hub.emit(notice("after the end"));
    const [told, oldest, ...rest] = await all(watcher);
    expect(told).toEqual({
      kind: "notice",
      level: "warn",
      text: "18978 events are left out here: they were not read in time",
    });
    // Of 20 000 there is room for 1022, beside the last one and the end.
    expect(oldest).toEqual(notice("notice 18979"));
    expect(rest).toHaveLength(1023);
    expect(rest.slice(-2)).toEqual([notice("last"), ended]);
    expect(rest.some(({ kind }) => kind === "step")).toBe(false);
  });

  it("keeps the order of steps and what else happens", async () => {
    const hub = new EventHub();
    const watcher = hub.watch(new AbortController().signal);
    const first = watcher.next();
    hub.emit(notice("first"));
    await first;
    const events = [step(1), notice("a"), notice("b"), step(2), step(3), notice("c"), ended];
    for (const event of events) hub.emit(event);
    expect(await all(watcher)).toEqual(events);
  });

  it("ends with the signal", async () => {
    const abort = new AbortController();
    const events = all(new EventHub().watch(abort.signal));
    abort.abort();
    expect(await events).toEqual([]);
  });
});
