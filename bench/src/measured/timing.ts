import { Bench } from "tinybench";

import type { RepeatedWork } from "@ostinato/kernels/tensor";

export interface Timing {
  readonly medianMs: number;
  readonly count: number;
}

/** Does it again and again for that long, and at least once. */
export async function timed(work: RepeatedWork, seconds: number): Promise<Timing> {
  const bench = new Bench({ time: seconds * 1000, iterations: 1, warmup: false, throws: true });
  const once = (): void => {
    work.once();
  };
  // Or it would be done once more to see whether it gives a promise.
  bench.add("work", once, { async: false });
  const [task] = await bench.run();
  const result = task?.result;
  if (result === undefined || !("latency" in result)) {
    throw new Error(`nothing was measured: the task is ${result?.state ?? "missing"}`);
  }
  return { medianMs: result.latency.p50, count: result.latency.samplesCount };
}
