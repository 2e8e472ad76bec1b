import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay } from "node:perf_hooks";

import type { Registry } from "prom-client";
import { Gauge } from "prom-client";

import type { Clock } from "../clock/index.js";
import { systemClock } from "../clock/index.js";

/** How often the loop is asked. */
const RESOLUTION_MS = 10;

/** The least time that a scrape tells of. */
const WINDOW_MS = 60_000;

const NANOSECONDS = 1e-9;

const QUANTILES = [
  ["0.5", 50],
  ["0.99", 99],
  ["1", 100],
] as const;

/**
 * Registers a gauge of how late the event loop is with its timers, in seconds, by quantile (0.5,
 * 0.99 and 1, the longest).
 *
 * A scrape tells of the last one to two minutes, or of the time since the scrape before when that is
 * longer. So whoever else scrapes takes nothing away, and a long stall is seen by all of them.
 *
 * The quantiles are over the firings of a timer of 10 ms, and a stall is one firing however long it takes: of
 * seldom, long stalls only the longest (1) tells.
 *
 * @param name the metric's full name, such as `ostinato_worker_event_loop_lag_seconds`
 */
export function monitorEventLoopLag(
  registry: Registry,
  name: string,
  clock: Clock = systemClock,
): { stop(): void } {
  const startMonitor = (): { readonly delays: IntervalHistogram; sinceMs: number } => {
    const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delays.enable();
    return { delays, sinceMs: clock.now() };
  };
  // Two that begin a window apart: the older is shown, and begins anew once the younger can be.
  let older = startMonitor();
  let younger = startMonitor();
  const gauge = new Gauge({
    name,
    help: "How late the event loop was with its timers in the last minutes, by quantile of all lags; 1: the longest.",
    labelNames: ["quantile"],
    registers: [registry],
    collect: () => {
      const nowMs = clock.now();
      if (nowMs - younger.sinceMs >= WINDOW_MS) {
        [older, younger] = [younger, older];
        younger.delays.reset();
        younger.sinceMs = nowMs;
      }
      const { delays } = older;
      for (const [quantile, percent] of QUANTILES) {
        const delay = percent === 100 ? delays.max : delays.percentile(percent);
        gauge.set({ quantile }, lagSeconds(delays.count === 0 ? 0 : delay));
      }
    },
  });
  return {
    stop: () => {
      older.delays.disable();
      younger.delays.disable();
      registry.removeSingleMetric(name);
    },
  };
}

/**
 * The lag in what Node measures: the time between two firings of its timer, in nanoseconds, of which
 * the timer's own period is no lag.
 */
export function lagSeconds(intervalNanoseconds: number): number {
  return Math.max(0, intervalNanoseconds * NANOSECONDS - RESOLUTION_MS / 1000);
}
