/** What a worker gets ready before it needs to know its coordinator. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

import type { BackendName } from "@ostinato/kernels/tensor";
import { collectProcessMetrics } from "@ostinato/runtime";
import { Registry } from "prom-client";

import type { WorkerMetrics } from "./ops/index.js";
import { createWorkerMetrics } from "./ops/index.js";
import { Offers } from "./session/index.js";
import { ComputeThread } from "./training/index.js";
import type { WorkerOptions } from "./worker-options.js";

/** Preferred first; the last one only for a run that asks for it. */
const BACKENDS: readonly BackendName[] = ["native", "wasm", "cpu", "native-bfloat16"];

/** Belongs to one `runWorker`, which takes it down. */
export interface PreparedWorker {
  readonly registry: Registry;
  readonly metrics: WorkerMetrics;
  /** Its thread keeps the process until it is closed. */
  readonly compute: ComputeThread;
  readonly offers: Offers;
}

/** Starts the compute thread and begins what a join takes, the profile of the preferred backend. */
export function prepareWorker(
  { backend, threads }: Pick<WorkerOptions, "backend" | "threads">,
  nodeVersion: string,
): PreparedWorker {
  const registry = new Registry();
  collectProcessMetrics(registry, "ostinato_worker_peak_resident_memory_bytes");
  const metrics = createWorkerMetrics(registry, { version: ownVersion(), node: nodeVersion });
  const compute = new ComputeThread({
    entry: new URL("./training/compute-thread-main.js", import.meta.url),
    numThreads: threads ?? availableParallelism(),
    onTensors: (numTensors) => metrics.tensors.set(numTensors),
  });
  const offers = new Offers(backend === undefined ? BACKENDS : [backend], compute);
  // Who needs it hears of a failure.
  offers.begin().catch(() => undefined);
  return { registry, metrics, compute, offers };
}

/** Of this package or, in a bundle, of the program: they have one version. */
function ownVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}
