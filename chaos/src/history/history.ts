import { appendFileSync } from "node:fs";

import type { HistoryEvent, TimedEvent } from "./events.js";

export interface History {
  readonly events: readonly TimedEvent[];
  add(event: HistoryEvent): void;
}

/** Each line is with the operating system when `add` returns, whatever becomes of this process. */
export function openHistory(path: string, now: () => number): History {
  const startMs = now();
  const events: TimedEvent[] = [];
  return {
    events,
    add: (event) => {
      const timed = { atMs: Math.round(now() - startMs), ...event };
      events.push(timed);
      appendFileSync(path, `${JSON.stringify(timed)}\n`);
    },
  };
}
