import type { TimedEvent } from "../history/index.js";
import type { Facts } from "./facts.js";
import { trainLeaseOf } from "./seen-events.js";

/** It stands still for somewhat more than one deadline. */
const DEADLINES_STILL = 2;
/** By so many steps after it whoever had given it up has told so. */
const STEPS_AFTER = 2;

/**
 * Workers whose stream ended while the coordinator stood still, or just afterwards: whoever hears nothing of it looks
 * for it anew, and is neither to blame nor a bystander of anything else.
 */
export function turnedAway({
  events,
  deadlineMs,
}: Pick<Facts, "events" | "deadlineMs">): ReadonlySet<string> {
  const away = new Set<string>();
  for (const { sinceMs, thawedAtMs } of freezesIn(events, deadlineMs)) {
    const untilMs = goesOnAtMs(events.filter(({ atMs }) => atMs >= thawedAtMs));
    for (const other of events) {
      if (other.kind !== "streamClosed" || other.atMs < sinceMs || other.atMs > untilMs) continue;
      away.add(other.workerId);
    }
  }
  return away;
}

/**
 * Of these events: when a coordinator takes in what passed to it at a time. One that stands still takes in nothing, and has other
 * things to do first when it moves again.
 */
export function intakeTimes(
  events: readonly TimedEvent[],
  deadlineMs: number,
): (atMs: number) => number {
  const freezes = freezesIn(events, deadlineMs);
  return (atMs) => {
    const isDuring = ({ sinceMs, thawedAtMs }: Freeze): boolean =>
      atMs >= sinceMs && atMs <= thawedAtMs;
    return freezes.find(isDuring)?.thawedAtMs ?? atMs;
  };
}

interface Freeze {
  /** At the earliest. */
  readonly sinceMs: number;
  readonly thawedAtMs: number;
}

function freezesIn(events: readonly TimedEvent[], deadlineMs: number): readonly Freeze[] {
  return events.flatMap((event) =>
    // Written down when it moves again.
    event.kind === "fired" && event.fault.kind === "coordinatorFreeze"
      ? [{ sinceMs: event.atMs - DEADLINES_STILL * deadlineMs, thawedAtMs: event.atMs }]
      : [],
  );
}

function goesOnAtMs(events: readonly TimedEvent[]): number {
  const steps = new Set<number>();
  for (const event of events) {
    const lease = trainLeaseOf(event);
    if (lease !== undefined && steps.add(lease.step).size > STEPS_AFTER) return lease.atMs;
  }
  return Infinity;
}
