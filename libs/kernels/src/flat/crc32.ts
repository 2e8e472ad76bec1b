import { compiledLoops } from "./compiled-loops.js";

/**
 * CRC-32 with zlib's values, by the processor's products without carries (Gopal et al., Intel 2009): several times as fast.
 *
 * @returns `crc32(bytes, value)`, value being that of the bytes before, 0 at the start; undefined where nothing is compiled,
 * or the processor has no such products: zlib's own serves
 */
export function compiledCrc32(): ((bytes: Uint8Array, value: number) => number) | undefined {
  const compiled = compiledLoops();
  return compiled?.hasFastCrc32() === true ? compiled.crc32 : undefined;
}
