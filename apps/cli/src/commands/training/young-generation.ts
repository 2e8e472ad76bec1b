/** Keeps the engine's space for young objects small, in a process that is running already. */

import { setFlagsFromString } from "node:v8";

/** Read by the engine each time that the space would grow. */
export const NO_GROWTH = "--semi-space-growth-factor=1";

/**
 * A coordinator's tensors are outside the engine's heap; for the little that is in it, the space for young
 * objects would grow to 32 MiB. `--max-semi-space-size`, which a local cluster starts its coordinator
 * with, is read when the engine starts and not after; the factor that the space grows by is read each
 * time. Called before what takes the memory is loaded, as the space does not shrink.
 *
 * @param nodeFlags that this process was started with; who chose a size keeps it
 */
export function keepYoungGenerationSmall(nodeFlags: readonly string[]): void {
  if (nodeFlags.some((flag) => flag.startsWith("--max-semi-space-size"))) return;
  setFlagsFromString(NO_GROWTH);
}
