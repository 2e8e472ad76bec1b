import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES } from "../limits.js";
import {
  checkFrame,
  checksumOfFrames,
  digestOfFrames,
  digestOfVersion,
  encodeFrames,
  framesOfVersion,
  readFrameInto,
} from "./index.js";

const floats = fc.float32Array({ maxLength: 200 });

function codeOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

/** The bits, as NaNs and signed zeros compare too. */
function bits(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

describe("encodeFrames", () => {
  it("writes float32 values in little-endian order", () => {
    // 1 is 0x3F800000 and -2 is 0xC0000000 in IEEE 754.
    const values = Float32Array.of(1, -2);
    const [frame] = encodeFrames({ transfer: 1, transferKind: "parameters", values });
    expect([...frame!.payload]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });

  it("gives a frame the CRC-32 of its payload that zlib gives", () => {
    // zlib.crc32(b"12345678") in Python; its check value for "123456789" is 0xCBF43926.
    const values = new Float32Array(new Uint8Array(Buffer.from("12345678")).buffer);
    const [frame] = encodeFrames({ transfer: 1, transferKind: "parameters", values });
    expect(frame!.crc32).toBe(0x9ae0daaf);
    expect(crc32("123456789")).toBe(0xcbf43926);
    // Eight zeros: 32 zero bytes, zlib.crc32(bytes(32)).
    const zeros = new Float32Array(8);
    const [ofZeros] = encodeFrames({ transfer: 1, transferKind: "parameters", values: zeros });
    expect(ofZeros!.crc32).toBe(0x190a55ad);
  });

  it("writes moments and statistics as float64", () => {
    // 1 is 0x3FF0000000000000 and -2 is 0xC000000000000000 in IEEE 754.
    const values = Float64Array.of(1, -2);
    for (const transferKind of ["moments", "statistics"] as const) {
      const [frame] = encodeFrames({ transfer: 1, transferKind, leaf: 3, values });
      expect(Buffer.from(frame!.payload).toString("hex")).toBe("000000000000f03f00000000000000c0");
      checkFrame(frame!);
      const read = new Float64Array(3);
      expect(readFrameInto({ ...frame!, firstValue: 1 }, read)).toBe(2);
      expect([...read]).toEqual([0, 1, -2]);
    }
    const many = new Float64Array(200_000); // 1.53 MiB; 1 MiB holds 131 072
    const frames = encodeFrames({ transfer: 1, transferKind: "moments", values: many });
    expect(frames.map(({ firstValue }) => firstValue)).toEqual([0, 131_072]);
  });

  it("cuts a large tensor into frames of 1 MiB that continue each other", () => {
    const numValues = 600_000; // 2.29 MiB
    const values = Float32Array.from({ length: numValues }, (_, index) => index);
    const frames = encodeFrames({
      transfer: 3,
      transferKind: "carriedState",
      leaf: 5,
      firstValue: 1000,
      values,
    });
    // 1 MiB holds 262 144 values; 600 000 - 2 × 262 144 = 75 712.
    expect(frames.map(({ firstValue, payload }) => [firstValue, payload.length])).toEqual([
      [1000, MAX_FRAME_BYTES],
      [1000 + 262_144, MAX_FRAME_BYTES],
      [1000 + 2 * 262_144, 75_712 * 4],
    ]);
    expect(frames.every(({ transfer, leaf }) => transfer === 3 && leaf === 5)).toBe(true);
    const read = new Float32Array(1000 + numValues);
    for (const frame of frames) {
      checkFrame(frame);
      readFrameInto(frame, read);
    }
    expect(Buffer.from(read.buffer, 4000).equals(Buffer.from(values.buffer))).toBe(true);
  });

  it("gives no frame for no values, and views rather than copies", () => {
    const options = { transfer: 1, transferKind: "gradient" } as const;
    expect(encodeFrames({ ...options, values: new Float32Array(0) })).toEqual([]);
    const values = Float32Array.of(1, 2, 3);
    const [frame] = encodeFrames({ ...options, values: values.subarray(1) });
    expect([frame!.payload.buffer, frame!.payload.byteOffset]).toEqual([values.buffer, 4]);
  });
});

describe("readFrameInto", () => {
  it("keeps every bit, wherever the payload lies in its buffer", () => {
    fc.assert(
      fc.property(floats, fc.nat(7), fc.nat(20), (values, offset, firstValue) => {
        const [frame] = encodeFrames({ transfer: 1, transferKind: "gradient", firstValue, values });
        if (frame === undefined) return;
        const received = new Uint8Array(offset + frame.payload.length + 3);
        received.set(frame.payload, offset);
        const payload = received.subarray(offset, offset + frame.payload.length);
        const read = new Float32Array(firstValue + values.length + 2).fill(7);
        readFrameInto({ ...frame, payload }, read);
        expect(bits(read.subarray(firstValue, firstValue + values.length))).toEqual(bits(values));
        expect([...read.subarray(0, firstValue), ...read.subarray(-2)].every((x) => x === 7)).toBe(
          true,
        );
      }),
    );
  });

  it("refuses a frame that reaches beyond the buffer, and writes nothing", () => {
    const values = Float32Array.of(1, 2);
    const [frame] = encodeFrames({ transfer: 1, transferKind: "gradient", firstValue: 3, values });
    const destination = new Float32Array(4);
    expect(codeOf(() => readFrameInto(frame!, destination))).toBe("frameOutOfBounds");
    expect([...destination]).toEqual([0, 0, 0, 0]);
    const last = { ...frame!, firstValue: 0xffff_ffff };
    expect(codeOf(() => readFrameInto(last, destination))).toBe("frameOutOfBounds");
    expect(codeOf(() => readFrameInto({ ...frame!, firstValue: 2 }, destination))).toBe(
      "nothing thrown",
    );
  });

  it("writes into the part of a buffer that it was given, not around it", () => {
    const [frame] = encodeFrames({
      transfer: 1,
      transferKind: "gradient",
      values: Float32Array.of(5),
    });
    const whole = new Float32Array(4);
    readFrameInto(frame!, whole.subarray(2));
    expect([...whole]).toEqual([0, 0, 5, 0]);
  });
});

describe("checkFrame", () => {
  const frame = encodeFrames({
    transfer: 1,
    transferKind: "gradient",
    values: Float32Array.from({ length: 16 }, Math.sin),
  })[0]!;

  it("finds every single flipped bit", () => {
    expect(codeOf(() => checkFrame(frame))).toBe("nothing thrown");
    for (let bit = 0; bit < frame.payload.length * 8; bit++) {
      const payload = Uint8Array.from(frame.payload);
      payload[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => checkFrame({ ...frame, payload }))).toBe("checksum");
    }
  });

  it("refuses payloads that are no whole values, none at all, or too many", () => {
    for (const [length, code] of [
      [0, "frameSize"],
      [3, "frameSize"],
      [6, "frameSize"],
      [MAX_FRAME_BYTES + 4, "frameTooLarge"],
    ] as const) {
      const payload = new Uint8Array(length);
      expect(codeOf(() => checkFrame({ ...frame, payload }))).toBe(code);
    }
  });

  it("refuses half a float64, and float64s where float32s belong", () => {
    const values = Float64Array.of(1, 2);
    const [moments] = encodeFrames({ transfer: 1, transferKind: "moments", values });
    const payload = moments!.payload.subarray(0, 12);
    expect(codeOf(() => checkFrame({ ...moments!, payload }))).toBe("frameSize");
    expect(() => readFrameInto(moments!, new Float32Array(9))).toThrow(RangeError);
  });

  it("names the frame, the value found and the value sent", () => {
    expect(() => checkFrame({ ...frame, crc32: 1, firstValue: 40 })).toThrow(
      /^the gradient frame at value 40 of transfer 1 has CRC-32 0x[0-9a-f]{8}; its sender computed 0x00000001$/,
    );
  });
});

describe("the checksum and the digest of frames", () => {
  it("are taken over the little-endian CRC-32s in order", () => {
    // "1234" and "5678" as little-endian integers: together the bytes "12345678", see above.
    const crcs = [0x34333231, 0x38373635];
    expect(checksumOfFrames(crcs)).toBe(0x9ae0daaf);
    const digest = createHash("sha256").update("12345678").digest("hex");
    expect(Buffer.from(digestOfFrames(crcs)).toString("hex")).toBe(digest);
    expect(checksumOfFrames([...crcs].reverse())).not.toBe(0x9ae0daaf);
  });

  it("of no frames are those of no bytes", () => {
    expect(checksumOfFrames([])).toBe(0);
    // SHA-256 of the empty message, FIPS 180-4.
    expect(Buffer.from(digestOfFrames([])).toString("hex")).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });
});

describe("a version", () => {
  const parameters = Float32Array.of(1, 2, 3);

  it("is sent as its parameters, then the statistics that belong to them", () => {
    const frames = framesOfVersion({ parameters, statistics: Float64Array.of(0, 1) }, 7);
    expect(frames.map(({ transferKind, transfer }) => [transferKind, transfer])).toEqual([
      ["parameters", 7],
      ["statistics", 7],
    ]);
  });

  it("has a digest that both of them change, and without statistics that of its parameters", () => {
    const none = new Float64Array(0);
    const crc = crc32(new Uint8Array(parameters.buffer));
    const alone = Buffer.from(digestOfFrames([crc])).toString("hex");
    expect(digestOfVersion({ parameters, statistics: none })).toBe(alone);
    const digests = [
      { parameters, statistics: Float64Array.of(0, 1) },
      { parameters, statistics: Float64Array.of(0, 1 + Number.EPSILON) },
      { parameters: Float32Array.of(1, 2, 4), statistics: Float64Array.of(0, 1) },
    ].map(digestOfVersion);
    expect(new Set([alone, ...digests]).size).toBe(4);
  });
});
