/** Workers, coordinators and proxies of one test, which end with it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parameterLayout } from "@ostinato/lstm";
import type { Lease, WorkerMessage } from "@ostinato/proto";
import { afterEach, beforeEach } from "vitest";

import { FakeCoordinator } from "./fake-coordinator.js";
import { smallRun } from "./small-run.js";
import { StoppableProxy } from "./stoppable-proxy.js";
import { WorkerProcess } from "./worker-process.js";

export const run = smallRun();
export const longRun = smallRun({ numRepeats: 4000 });
export const numParameters = parameterLayout(run.spec).size;

export let cacheDirectory: string;
const workers: WorkerProcess[] = [];
const coordinators: FakeCoordinator[] = [];
const proxies: StoppableProxy[] = [];

beforeEach(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), "worker-process-"));
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  for (const each of [...coordinators.splice(0), ...proxies.splice(0)]) each.close();
  await rm(cacheDirectory, { recursive: true });
});

export async function startCoordinator(
  options: Partial<Parameters<typeof FakeCoordinator.start>[0]> = {},
): Promise<FakeCoordinator> {
  const coordinator = await FakeCoordinator.start({ run, ...options });
  coordinators.push(coordinator);
  return coordinator;
}

export async function startProxy(address: string): Promise<StoppableProxy> {
  const proxy = await StoppableProxy.to(address);
  proxies.push(proxy);
  return proxy;
}

export function startWorker(
  coordinator: string,
  options: Partial<ConstructorParameters<typeof WorkerProcess>[0]> = {},
): WorkerProcess {
  const worker = new WorkerProcess({ coordinator, cacheDirectory, ...options });
  workers.push(worker);
  return worker;
}

export function trainLease(overrides: Partial<Lease> = {}): Lease {
  return {
    fence: 1,
    leaseKind: "train",
    step: 1,
    version: 0,
    epoch: 0,
    epochStep: 0,
    nodes: [
      { firstLeaf: 0, numLeaves: 2 },
      { firstLeaf: 2, numLeaves: 1 },
      { firstLeaf: 3, numLeaves: 1 },
    ],
    leaves: [0, 1, 2, 3].map((leaf) => ({ leaf, state: "zero" }) as const),
    split: "",
    transfer: 0,
    lossWeightTotals: [35],
    ...overrides,
  };
}

/** An evaluation of the whole training part: long beside everything else here. */
export function longLease(fence: number): Lease {
  return trainLease({ fence, leaseKind: "evaluate", split: "train", nodes: [] });
}

export const isPhase =
  (phase: string) =>
  (message: WorkerMessage): boolean =>
    message.kind === "progress" && message.phase === phase;
