/** What checks and figures read out of a history alike. */

import { kindOf } from "../faults/index.js";
import type { TimedEvent } from "../history/index.js";

/** What is under way when the coordinator decides passes the proxy later: on a machine that others use, much later. */
export const IN_FLIGHT_MS = 1000;

export interface SeenLease {
  readonly atMs: number;
  readonly workerId: string;
  readonly fence: number;
  readonly step: number;
  readonly leaves: readonly number[];
}

/** The lease of a training step that passes; undefined for every other event. */
export function trainLeaseOf(event: TimedEvent): SeenLease | undefined {
  if (event.kind !== "message" || event.message.kind !== "lease") return undefined;
  const { leaseKind, fence = 0, step = 0, leaves = [] } = event.message;
  if (leaseKind !== "train") return undefined;
  return { atMs: event.atMs, workerId: event.workerId, fence, step, leaves };
}

/** Workers to which something was done. What nobody is to notice is no reason to accuse anybody. */
export function struckWorkers(events: readonly TimedEvent[]): ReadonlySet<string> {
  return new Set(
    events.flatMap((event) =>
      event.kind === "fired" && kindOf(event.fault).shows.nothing !== true ? [event.workerId] : [],
    ),
  );
}

/** The time between each event and the next one. */
export function gapsOf(
  events: readonly TimedEvent[],
): readonly { readonly ms: number; readonly after: TimedEvent }[] {
  return events.slice(1).flatMap((event, index) => {
    const after = events[index];
    return after === undefined ? [] : [{ ms: event.atMs - after.atMs, after }];
  });
}
