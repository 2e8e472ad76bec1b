import { collectDefaultMetrics, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/** prom-client's own, which begin anew with every scrape: `monitorEventLoopLag` does not. */
const LAG = /^nodejs_eventloop_lag/;

const KILOBYTE = 1024;

/**
 * Registers what prom-client knows of a process under its usual names (`process_resident_memory_bytes`,
 * `process_cpu_seconds_total`, `nodejs_heap_size_used_bytes`, `nodejs_external_memory_bytes` and so on), and
 * a gauge of the most memory that the process was ever seen to hold, which no scrape can miss.
 *
 * @param peakName the gauge's full name, such as `ostinato_worker_peak_resident_memory_bytes`
 */
export function collectProcessMetrics(registry: Registry, peakName: string): void {
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (LAG.test(name)) registry.removeSingleMetric(name);
  }
  new Gauge({
    name: peakName,
    help: "The most resident memory that the process has had since it began.",
    registers: [registry],
    collect() {
      this.set(process.resourceUsage().maxRSS * KILOBYTE);
    },
  });
}
