import type { Arithmetic } from "./arithmetic.js";
import type { BufferPool } from "./buffer-pool.js";
import { ParameterVersion } from "./parameter-version.js";

/** A version of a copy of these parameters, in a buffer of the pool, which gets it back in the end. */
export async function makeVersion(
  version: number,
  values: Float32Array,
  { parameters, arithmetic }: { readonly parameters: BufferPool; readonly arithmetic: Arithmetic },
): Promise<ParameterVersion> {
  const buffer = parameters.acquire();
  buffer.set(values);
  return new ParameterVersion(version, buffer, await arithmetic.summarize(buffer), (done) => {
    parameters.release(done);
  });
}
