import { version_core } from "@tensorflow/tfjs-core";

import { backendProperties, selectBackend, selectedBackend } from "../backends.js";
import type { BackendName } from "../backends.js";
import { fixedComputation } from "./fixed-computation.js";

/** Names the arithmetic: two processes with equal profiles compute the same bits. */
export interface NumericsProfile {
  readonly backend: string;
  /** tfjs and backend version, and the instruction set where the backend has several. */
  readonly version: string;
  /** SHA-256, hex, of the bytes of a fixed small computation. */
  readonly digest: string;
}

/** Web Crypto, a global of Node, browsers and workers alike. */
declare const crypto: {
  readonly subtle: { digest(algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer> };
};

/**
 * Runs a fixed small computation on a backend. The backend that was selected before is selected
 * again afterwards.
 *
 * @throws KernelError `backendUnavailable` with the reason.
 */
export async function numericsProfile(name: BackendName): Promise<NumericsProfile> {
  const before = selectedBackend();
  await selectBackend(name);
  try {
    const bytes = fixedComputation();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return { backend: name, version: await backendVersion(name), digest: toHex(digest) };
  } finally {
    if (before !== undefined) await selectBackend(before);
  }
}

/** Of the selected backend. */
async function backendVersion(name: BackendName): Promise<string> {
  const core = `tfjs-core ${version_core}`;
  switch (name) {
    case "cpu": {
      const { version_cpu } = await import("@tensorflow/tfjs-backend-cpu");
      return `${core}, tfjs-backend-cpu ${version_cpu}`;
    }
    case "native":
    case "native-bfloat16": {
      const { version_cpu } = await import("@tensorflow/tfjs-backend-cpu");
      return `${core}, tfjs-backend-cpu ${version_cpu}, ostinato kernels`;
    }
    case "wasm": {
      const { version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
      const hasSimd = (await backendProperties()).instructionSet === "simd";
      return `${core}, tfjs-backend-wasm ${version_wasm}, ${hasSimd ? "simd" : "no simd"}`;
    }
    default:
      return name satisfies never;
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
