import { env, findBackend, setBackend } from "@tensorflow/tfjs-core";

import { KernelError } from "./kernel-error.js";
import { withoutFatalErrorHandlers } from "./process-listeners.js";
import { REFERENCE_KERNELS } from "./reference/index.js";
import { registerKernelTable } from "./registered-kernel.js";
import type { NativeBackendName } from "./native/index.js";
import { WASM_KERNELS } from "./wasm/index.js";

/** The tfjs backends that have our kernels. */
export type BackendName = "native" | "wasm" | "cpu" | "native-bfloat16";

/** The fastest first; then what is used only when it is asked for, as its products are less exact. */
export const BACKEND_NAMES: readonly BackendName[] = ["native", "wasm", "cpu", "native-bfloat16"];

const isNative = (name: BackendName | undefined): name is NativeBackendName =>
  name === "native" || name === "native-bfloat16";

registerKernelTable("cpu", REFERENCE_KERNELS);
registerKernelTable("wasm", WASM_KERNELS);

/**
 * The backend that was started last. tfjs's own record will not do: it names a backend before it has
 * started it, and keeps the name when that fails.
 */
let running: BackendName | undefined;

/**
 * Makes `name` the backend of all tensors from now on. It never falls back to another one: when it
 * fails, the backend before stays selected.
 *
 * @throws KernelError `backendUnavailable` with the reason.
 */
export async function selectBackend(name: BackendName): Promise<void> {
  if (name === running) return;
  try {
    await loadBackend(name);
    await startBackend(name);
  } catch (error) {
    if (running !== undefined) await startBackend(running);
    const reason = error instanceof Error ? error.message : String(error);
    throw new KernelError(
      "backendUnavailable",
      `numerics backend '${name}' is unavailable: ${reason} (known: ${BACKEND_NAMES.join(", ")})`,
      { cause: error },
    );
  }
  running = name;
}

/**
 * Threads that a call of a kernel is shared out to, of the native backend: the others compute on one
 * whatever they are told. No bit depends on it. Holds for the calling thread.
 *
 * @param count from 1 to 256
 */
export async function selectThreads(count: number): Promise<void> {
  if (!isNative(running)) return;
  const { nativeAddon } = await import("./native/index.js");
  nativeAddon().selectThreads(count);
}

/**
 * Selects the fastest backend that works here.
 *
 * @throws KernelError `backendUnavailable` if none does, which only a broken installation can be.
 */
export async function selectFastestBackend(): Promise<BackendName> {
  let reason: unknown;
  for (const name of BACKEND_NAMES) {
    try {
      await selectBackend(name);
      return name;
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

/** The backend in use; undefined before the first {@link selectBackend} that succeeds. */
export function selectedBackend(): BackendName | undefined {
  return running;
}

/** What a backend that works here computes with. */
export interface BackendProperties {
  /** Such as `avx512` of native, `simd` of wasm, `JavaScript` of cpu. */
  readonly instructionSet: string;
  /** Whether {@link selectThreads} makes a difference. */
  readonly isThreaded: boolean;
}

/**
 * Of the selected backend.
 *
 * @throws KernelError `backendUnavailable` before a backend is selected
 */
export async function backendProperties(): Promise<BackendProperties> {
  switch (running) {
    case "native":
    case "native-bfloat16": {
      const { nativeAddon } = await import("./native/index.js");
      return { instructionSet: nativeAddon().instructionSet(), isThreaded: true };
    }
    case "wasm": {
      const hasSimd = await env().getAsync("WASM_HAS_SIMD_SUPPORT");
      return { instructionSet: hasSimd === true ? "simd" : "scalar", isThreaded: false };
    }
    case "cpu":
      return { instructionSet: "JavaScript", isThreaded: false };
    case undefined:
      throw new KernelError("backendUnavailable", "no numerics backend is selected");
    default:
      throw new Error(`no such backend: ${String(running satisfies never)}`);
  }
}

async function startBackend(name: BackendName): Promise<void> {
  const isStarted = await withoutFatalErrorHandlers(() => setBackend(name));
  if (!isStarted) throw new Error("tfjs could not start it");
  if (!isNative(name)) return;
  const { useNative } = await import("./native/index.js");
  useNative(name);
}

async function loadBackend(name: BackendName): Promise<void> {
  switch (name) {
    case "native":
    case "native-bfloat16": {
      const { registerNative } = await import("./native/index.js");
      registerNative(name);
      return;
    }
    case "wasm":
      await import("@tensorflow/tfjs-backend-wasm");
      return;
    case "cpu": {
      await import("@tensorflow/tfjs-backend-cpu");
      // Its first tensor prints an advice to install tfjs-node, which is no use to who chose `cpu`.
      const backend = findBackend("cpu") as { firstUse?: boolean };
      backend.firstUse = false;
      return;
    }
    default:
      throw new Error(`no such backend${String(name satisfies never)}`);
  }
}
