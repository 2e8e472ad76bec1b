import { activeWorkers, readMetricsPage } from "../cluster/index.js";
import type { LocalRun } from "../cluster/index.js";

/** Memory of one process at one moment. */
export interface MemorySample {
  /** The newest committed step. */
  readonly step: number;
  readonly residentBytes: number;
  /** Of the main thread's JavaScript heap. */
  readonly heapBytes: number;
}

export interface WatchedProcess {
  /** `coordinator`, `worker-1` and so on. */
  readonly name: string;
  readonly samples: readonly MemorySample[];
  /** The most resident memory it ever had, also between samples. */
  readonly peakBytes: number;
}

interface Page {
  readonly name: string;
  readonly url: string;
  readonly prefix: string;
  readonly samples: MemorySample[];
  peakBytes: number;
}

const PERIOD_MS = 500;

/**
 * Reads the processes' metrics pages, as monitoring does, until the run has committed so many steps.
 *
 * @param workers their names
 * @throws BenchError `sideFailed` when the run ends before
 */
export async function watchMemory(
  run: LocalRun,
  workers: readonly string[],
  numSteps: number,
): Promise<readonly WatchedProcess[]> {
  let { step } = await run.nextStep();
  const page = (name: string, url: string, prefix: string): Page => ({
    ...{ name, url, prefix, samples: [], peakBytes: 0 },
  });
  const pages = [page("coordinator", run.metricsUrl, "ostinato_coordinator")];
  let nextMs = 0;
  while (step < numSteps) {
    ({ step } = await run.nextStep());
    if (performance.now() < nextMs && step < numSteps) continue;
    nextMs = performance.now() + PERIOD_MS;
    // Whoever takes part has written where its metrics are.
    const isComplete = pages.length > workers.length;
    if (!isComplete && activeWorkers(await readMetricsPage(run.metricsUrl)) >= workers.length) {
      pages.push(...workers.map((name) => page(name, run.metricsUrlOf(name), "ostinato_worker")));
    }
    for (const one of pages) await sample(one, step);
  }
  return pages.map(({ name, samples, peakBytes }) => ({ name, samples, peakBytes }));
}

async function sample(page: Page, step: number): Promise<void> {
  const read = await readMetricsPage(page.url);
  page.samples.push({
    step,
    residentBytes: read.value("process_resident_memory_bytes"),
    heapBytes: read.value("nodejs_heap_size_used_bytes"),
  });
  page.peakBytes = read.value(`${page.prefix}_peak_resident_memory_bytes`);
}
