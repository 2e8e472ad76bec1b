/** What checks and figures read out of a history alike. */

import type { TimedEvent } from "../history/index.js";

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

/** The time between each event and the next one. */
export function gapsOf(
  events: readonly TimedEvent[],
): readonly { readonly ms: number; readonly after: TimedEvent }[] {
  return events.slice(1).flatMap((event, index) => {
    const after = events[index];
    return after === undefined ? [] : [{ ms: event.atMs - after.atMs, after }];
  });
}
