import type { RandomKey } from "../random/index.js";

/**
 * The stream of random numbers that a tensor's name has, whatever other tensors there are: a model with
 * another layer, or without one, starts the tensors that it keeps the same. The 32-bit FNV-1a hash
 * of the name stands for it.
 */
export function tensorKey(name: string, seed: number): RandomKey {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  }
  return { seed, step: 0, purpose: "tensorInitialization", layer: hash };
}
