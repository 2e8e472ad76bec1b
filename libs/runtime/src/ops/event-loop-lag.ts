import { monitorEventLoopDelay } from "node:perf_hooks";

import type { Registry } from "prom-client";
import { Gauge } from "prom-client";

/** How often the loop is asked. */
const RESOLUTION_MS = 10;

const NANOSECONDS = 1e-9;

const QUANTILES = [
  ["0.5", 50],
  ["0.99", 99],
  ["1", 100],
] as const;

/**
 * Registers a gauge of how late the event loop is with its timers, in seconds, by quantile (0.5,
 * 0.99 and 1, the longest). Each scrape tells of the time since the one before.
 *
 * @param name the metric's full name, such as `ostinato_worker_event_loop_lag_seconds`
 */
export function monitorEventLoopLag(registry: Registry, name: string): { stop(): void } {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const gauge = new Gauge({
    name,
    help: "How late the event loop was with its timers since the last scrape, in seconds",
    labelNames: ["quantile"],
    registers: [registry],
    collect: () => {
      for (const [quantile, percent] of QUANTILES) {
        const delay = percent === 100 ? delays.max : delays.percentile(percent);
        gauge.set({ quantile }, lagSeconds(delays.count === 0 ? 0 : delay));
      }
      delays.reset();
    },
  });
  return {
    stop: () => {
      delays.disable();
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
