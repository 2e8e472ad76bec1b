import { BACKEND_NAMES, selectBackend, selectThreads } from "@ostinato/kernels/tensor";
import type { BackendName } from "@ostinato/kernels/tensor";

/** Backends that compute on one thread whatever they are told. */
const SINGLE_THREADED: ReadonlySet<string> = new Set(["wasm", "cpu"]);

/**
 * Makes a backend the one that all work runs on.
 *
 * @throws RangeError for a name that is not known and for threads that it does not have
 * @throws KernelError `backendUnavailable` with the reason
 */
export async function startBackend(name: string, numThreads: number): Promise<void> {
  if (!isKnown(name)) {
    throw new RangeError(`no backend '${name}'; there are ${BACKEND_NAMES.join(", ")}`);
  }
  if (numThreads !== 1 && SINGLE_THREADED.has(name)) {
    throw new RangeError(`backend '${name}' computes on one thread, not on ${numThreads}`);
  }
  await selectBackend(name);
  await selectThreads(numThreads);
}

const isKnown = (name: string): name is BackendName =>
  (BACKEND_NAMES as readonly string[]).includes(name);
