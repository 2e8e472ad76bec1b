/** The compute thread: owns TensorFlow.js and the model. Started by ComputeThread, never imported. */

import { getPriority, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";

import type { BackendName } from "@ostinato/kernels/tensor";
import {
  KernelError,
  numericsProfile,
  recycle,
  selectBackend,
  selectThreads,
} from "@ostinato/kernels/tensor";
import type { NumericsProfile, Phase } from "@ostinato/proto";
import { systemClock } from "@ostinato/runtime/clock";
import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";
import { memory } from "@tensorflow/tfjs-core";

import { messageOf, WorkerError } from "../errors/index.js";
import type {
  ComputeOperations,
  ComputeReply,
  ComputeRequest,
  ComputeThreadData,
  OperationName,
  RecycledValues,
  ThreadSetup,
} from "./compute-messages.js";
import type { PreparedCompute } from "./compute.js";
import type { AnyShardComputer, ComputeControl } from "./shard-computer.js";
import { createShardComputer } from "./shard-computer.js";

if (parentPort === null) throw new Error("this module is the entry of a thread");
const port = parentPort;
const { cancelled, numThreads } = workerData as ComputeThreadData;

/**
 * Where computing threads fill the machine, whoever only passes something on (this process's stream, a
 * coordinator on the same machine) should not wait for one of their time slices: its next step would.
 */
const COMPUTE_NICENESS = 5;

/**
 * Within a phase progress is told no more often: each message wakes the main thread, which takes a core from
 * threads that compute.
 */
const { threadProgressMs } = FIXED_TIMEOUTS;

yieldToOthers();

let computer: AnyShardComputer | undefined;
let encoded: Uint8Array | undefined;
/** Requests are handled one after the other, also where handling one is asynchronous. */
let last: Promise<void> = Promise.resolve();

port.on("message", (request: ComputeRequest | RecycledValues) => {
  if (request.kind === "recycled") {
    // Without a run no backend may be there, and nothing to use it for.
    if (computer !== undefined) recycle([request.values]);
    return;
  }
  last = last.then(() => handle(request));
});

/** On Linux of this thread, and of those that the kernels start from it; elsewhere of the process. */
function yieldToOthers(): void {
  try {
    // Who was started at a lower priority keeps it.
    if (getPriority() < COMPUTE_NICENESS) setPriority(COMPUTE_NICENESS);
  } catch {
    // Where that is not allowed only speed is lost.
  }
}

async function handle(request: ComputeRequest): Promise<void> {
  const { id } = request;
  try {
    const output = await perform(request);
    reply({ kind: "done", id, output, numTensors: memory().numTensors });
  } catch (error) {
    const code = error instanceof WorkerError ? error.code : "compute";
    const stack = error instanceof Error ? error.stack : undefined;
    reply({ kind: "failed", id, code, message: messageOf(error), stack });
  }
}

async function perform(
  request: ComputeRequest,
): Promise<ComputeOperations[OperationName]["output"]> {
  const { id } = request;
  let told: { readonly phase: Phase; readonly atMs: number } | undefined;
  const control: ComputeControl = {
    onProgress: (phase, timeSteps) => {
      const atMs = systemClock.now();
      if (phase === told?.phase && atMs - told.atMs < threadProgressMs) return;
      told = { phase, atMs };
      reply({ kind: "progress", id, phase, timeSteps });
    },
    isCancelled: () => Atomics.load(cancelled, 0) >= id,
  };
  switch (request.kind) {
    case "profiles":
      return profiles(request.input);
    case "prepare":
      return prepare(request.input);
    case "batch":
      prepared().prepareBatch(request.input);
      return undefined;
    case "train":
      return prepared().train(request.input, {
        ...control,
        onGradient: (slice) => reply({ kind: "gradient", id, slice }, [slice.values.buffer]),
      });
    case "evaluate":
      return prepared().evaluate(request.input, control);
    default:
      return request satisfies never;
  }
}

async function profiles({
  backends,
  limit,
}: ComputeOperations["profiles"]["input"]): Promise<readonly NumericsProfile[]> {
  const found: NumericsProfile[] = [];
  for (const backend of backends) {
    if (found.length >= limit) break;
    try {
      found.push(await numericsProfile(backend));
    } catch (error) {
      const isUnavailable = error instanceof KernelError && error.code === "backendUnavailable";
      // Asked for one backend only: why it is not here is what the user needs to read.
      if (!isUnavailable || backends.length === 1) throw error;
    }
  }
  return found;
}

async function prepare(setup: ThreadSetup): Promise<PreparedCompute> {
  computer?.dispose();
  computer = undefined;
  // The profile was computed here, so that its backend's name is one that this build knows.
  await selectBackend(setup.backend as BackendName);
  await selectThreads(numThreads);
  encoded = setup.encoded ?? encoded;
  if (encoded === undefined) throw new WorkerError("badLease", "no data set is here");
  computer = createShardComputer(setup.spec, encoded, setup.settings);
  return { stateSizes: computer.stateSizes };
}

function prepared(): AnyShardComputer {
  if (computer === undefined) throw new WorkerError("badLease", "no run is prepared");
  return computer;
}

function reply(message: ComputeReply, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
