/** SHA-256 off the main thread: a checkpoint's files are tens of megabytes. */

import { webcrypto } from "node:crypto";

import { littleEndianBytes } from "../safetensors/index.js";

/** In hex. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest("SHA-256", bytes)).toString("hex");
}

/** SHA-256 (hex) of the parameters' little-endian bytes: what end.json names a run's result by. */
export function parametersSha256(parameters: Float32Array): Promise<string> {
  return sha256(littleEndianBytes(parameters));
}
