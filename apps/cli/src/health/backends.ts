/** Which backends work here, and which one training would take. */

import {
  BACKEND_NAMES,
  backendProperties,
  KernelError,
  selectBackend,
} from "@ostinato/kernels/tensor";
import type { BackendName } from "@ostinato/kernels/tensor";

import { reasonOf } from "./ports.js";

export interface BackendCheck {
  readonly name: BackendName;
  /** Why it does not work; null: it does. */
  readonly trouble: string | null;
  /** Null if it does not work. */
  readonly instructionSet: string | null;
  readonly isThreaded: boolean;
}

export interface BackendChecks {
  readonly backends: readonly BackendCheck[];
  /** The first that works, selected from now on; null: none does. */
  readonly used: BackendCheck | null;
}

export async function checkBackends(): Promise<BackendChecks> {
  const backends: BackendCheck[] = [];
  for (const name of BACKEND_NAMES) backends.push(await checkBackend(name));
  const used = backends.find(({ trouble }) => trouble === null) ?? null;
  if (used !== null) await selectBackend(used.name);
  return { backends, used };
}

async function checkBackend(name: BackendName): Promise<BackendCheck> {
  try {
    await selectBackend(name);
    return { name, trouble: null, ...(await backendProperties()) };
  } catch (error) {
    // Its name and the list of all of them are shown anyway.
    const reason = error instanceof KernelError ? (error.cause ?? error) : error;
    return { name, trouble: reasonOf(reason), instructionSet: null, isThreaded: false };
  }
}
