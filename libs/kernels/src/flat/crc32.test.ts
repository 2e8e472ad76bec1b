import { crc32 as zlibCrc32 } from "node:zlib";

import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";

import { reasonForSkipping } from "../../test/support/addon.js";
import { loadAddon } from "../native-addon/index.js";
import type { CompiledLoops } from "./compiled-loops.js";
import { switchCompiledLoopsOff } from "./compiled-loops.js";
import { compiledCrc32 } from "./crc32.js";

/** Bytes without a pattern, the same each time. */
function bytesOf(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => (state = (state * 69069 + 1) >>> 0) >>> 24);
}

describe("the compiled CRC-32", () => {
  const addon = (): CompiledLoops => loadAddon() as CompiledLoops;
  const crc32 = (bytes: Uint8Array, value = 0): number => addon().crc32(bytes, value);

  beforeEach((context) => {
    context.skip(reasonForSkipping !== "", reasonForSkipping);
  });

  it("is zlib's, for any length and place: blocks, vectors and what is left of them", () => {
    const bytes = bytesOf(400);
    for (let length = 0; length <= 330; length++) {
      for (const first of [0, 1, 7, 16]) {
        const part = bytes.subarray(first, first + length);
        expect(crc32(part), `${length} bytes from ${first}`).toBe(zlibCrc32(part));
      }
    }
  });

  it("is zlib's for any bytes after any others", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 5000 }),
        fc.nat(2 ** 32 - 1),
        (bytes, value) => {
          expect(crc32(bytes, value)).toBe(zlibCrc32(bytes, value));
        },
      ),
    );
  });

  it("of no bytes is that of the bytes before", () => {
    expect(crc32(new Uint8Array(0), 7)).toBe(7);
    expect(crc32(Buffer.alloc(0), 7)).toBe(7);
  });

  it("goes on from part to part", () => {
    const bytes = bytesOf(1 << 20);
    fc.assert(
      fc.property(fc.nat(bytes.length), (at) => {
        expect(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at)))).toBe(zlibCrc32(bytes));
      }),
      { numRuns: 20 },
    );
  });

  it("reads shared memory, and floats by their bytes", () => {
    const floats = new Float32Array(new SharedArrayBuffer(4096)).fill(0.1);
    const bytes = new Uint8Array(floats.buffer, 12, 3000);
    expect(crc32(bytes)).toBe(zlibCrc32(Uint8Array.from(bytes)));
  });

  it("refuses what is no bytes, and no value", () => {
    expect(() => crc32(new Float32Array(4) as unknown as Uint8Array)).toThrow(
      new TypeError("crc32: bytes is no Uint8Array"),
    );
    for (const value of [-1, 2 ** 32, NaN]) {
      expect(() => crc32(bytesOf(4), value)).toThrow(new TypeError("crc32: value is no CRC-32"));
    }
  });

  it("is not there while compiled loops are switched off", () => {
    switchCompiledLoopsOff(true);
    expect(compiledCrc32()).toBeUndefined();
    switchCompiledLoopsOff(false);
    expect(compiledCrc32() !== undefined).toBe(addon().hasFastCrc32());
  });
});
