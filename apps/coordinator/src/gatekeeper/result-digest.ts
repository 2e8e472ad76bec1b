/** Results of a node as something short that is equal if and only if they are. */

import { createHash } from "node:crypto";
import type { CompleteUpload } from "../steps/index.js";

/**
 * SHA-256, in hex, of all that an upload has an influence by: its gradient's bits, and of each leaf the loss,
 * the samples, the carried state and the moments.
 *
 * @param sha256 of the bytes of a gradient, off the event loop
 */
export async function resultDigest(
  { gradient, leaves, states, moments }: CompleteUpload,
  sha256: (values: Float32Array) => Promise<string>,
): Promise<string> {
  const hash = createHash("sha256").update(await sha256(gradient));
  for (const { leaf, lossSum, lossWeight, numSamples, sampleDigest } of leaves) {
    hash.update(Float64Array.of(leaf, lossSum, lossWeight, numSamples));
    hash.update(sampleDigest);
    for (const values of [states.get(leaf), moments.get(leaf)]) if (values) hash.update(values);
  }
  return hash.digest("hex");
}
