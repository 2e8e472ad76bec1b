import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TensorFrame } from "../codec/index.js";
import { workerMessageCodec } from "../codec/index.js";
import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES, MAX_FRAME_ROWS, MAX_FRAME_VALUES, MAX_MESSAGE_BYTES } from "../limits.js";
import {
  bytesOfFrame,
  checkFrame,
  computeCrc32By,
  encodeGradientFrames,
  readFrameInto,
  scanRows,
} from "./index.js";

function codeOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

const bytesOf = (values: Float32Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** What the frames give in a buffer full of other things, after the way over the wire. */
function received(frames: readonly TensorFrame[], size: number): Float32Array {
  const destination = new Float32Array(size).fill(7);
  let numValues = 0;
  for (const sent of frames) {
    const bytes = workerMessageCodec.encode({ kind: "frame", frame: sent });
    const message = workerMessageCodec.decode(bytes);
    if (message.kind !== "frame") throw new Error(message.kind);
    checkFrame(message.frame);
    numValues += readFrameInto(message.frame, destination);
  }
  expect(numValues).toBe(size);
  return destination;
}

const numBytes = (frames: readonly TensorFrame[]): number =>
  frames.reduce((sum, frame) => sum + bytesOfFrame(frame), 0);

/** Rows of one kind each: of zeros, of zeros with a sign, of bfloat16s, of any floats, NaNs among them. */
const matrices = fc
  .record({
    rowValues: fc.integer({ min: 1, max: 40 }),
    kinds: fc.array(fc.constantFrom("zeros", "zeros", "zeros", "negative", "bfloat16", "any"), {
      minLength: 1,
      maxLength: 90,
    }),
    words: fc.uint32Array({ minLength: 97, maxLength: 97 }),
  })
  .map(({ rowValues, kinds, words }) => {
    const bits = new Uint32Array(kinds.length * rowValues);
    for (const [row, kind] of kinds.entries()) {
      for (let i = 0; i < rowValues; i++) {
        const word = words[(row * rowValues + i) % words.length]!;
        const any = kind === "negative" ? 0x8000_0000 : kind === "any" ? word : word & 0xffff_0000;
        bits[row * rowValues + i] = kind === "zeros" ? 0 : any;
      }
    }
    return { rowValues, values: new Float32Array(bits.buffer) };
  });

describe("encodeGradientFrames", () => {
  it("keeps every bit of any matrix, in no more bytes than it has", () => {
    fc.assert(
      fc.property(matrices, fc.boolean(), ({ values, rowValues }, isTable) => {
        const frames = encodeGradientFrames({
          ...{ transfer: 1, firstValue: 0, values },
          rowValues: isTable ? rowValues : 0,
        });
        const result = received(frames, values.length);
        expect(bytesOf(result).equals(bytesOf(values))).toBe(true);
        expect(numBytes(frames)).toBeLessThanOrEqual(values.byteLength);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves rows of zeros out, but none with a -0, and says so in the mask", () => {
    // Twelve rows of four; 1 is 0x3F800000, 0.1 as float32 0x3DCCCCCD, -0 0x80000000.
    const values = new Float32Array(48);
    values.set([0, 1, 0, 0.1], 4);
    values.set([0, 0, -0, 0], 9 * 4);
    const [frame, ...more] = encodeGradientFrames({
      ...{ transfer: 3, firstValue: 100, values, rowValues: 4 },
    });
    expect(more).toEqual([]);
    // Rows 1 and 9: bit 1 of the first byte, bit 1 of the second.
    const mask = Uint8Array.of(0b10, 0b10);
    const payload = Buffer.from(
      "000000000000803f00000000cdcccc3d00000000000000000000008000000000",
      "hex",
    );
    expect(Buffer.from(frame!.payload).equals(payload)).toBe(true);
    expect(frame).toMatchObject({
      ...{ transfer: 3, transferKind: "gradient", leaf: 0, firstValue: 100 },
      rows: { rowValues: 4, numRows: 12, mask },
      crc32: crc32(Buffer.concat([mask, payload])),
    });
    expect(frame!.valueFormat).toBeUndefined();
  });

  it("sends the upper halves of values whose lower ones are zeros", () => {
    // 1 is 0x3F800000, -1.5 0xBFC00000, the largest bfloat16 0x7F7F0000, infinity 0x7F800000, -0 0x80000000.
    const values = Float32Array.of(1, -1.5, (2 - 2 ** -7) * 2 ** 127, Infinity, -0);
    const [frame] = encodeGradientFrames({ transfer: 1, firstValue: 5, values, rowValues: 0 });
    expect(Buffer.from(frame!.payload).toString("hex")).toBe("803fc0bf7f7f807f0080");
    expect(frame).toMatchObject({ firstValue: 5, valueFormat: "bfloat16" });
    expect(frame!.rows).toBeUndefined();
    const other = Float32Array.of(1, -1.5, 0.1);
    const [full] = encodeGradientFrames({
      transfer: 1,
      firstValue: 5,
      values: other,
      rowValues: 0,
    });
    expect(full!.payload).toHaveLength(12);
    expect(full!.valueFormat).toBeUndefined();
  });

  it("leaves rows out only where that is less than they are", () => {
    // A mask of 125 bytes for 1000 rows; a row of zeros has 4 bytes, so that 40 of them pay.
    const values = new Float32Array(1000).fill(0.1);
    values.fill(0, 0, 10);
    const dense = encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues: 1 });
    expect(dense.map(({ rows }) => rows)).toEqual([undefined]);
    values.fill(0, 0, 40);
    const sparse = encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues: 1 });
    expect(numBytes(sparse)).toBe(960 * 4 + 125);
  });

  it("covers a whole matrix of zeros, with next to nothing to send", () => {
    const values = new Float32Array(10_000 * 200);
    const frames = encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues: 200 });
    expect(frames.map(({ payload }) => payload.byteLength)).toEqual([0, 0]);
    expect(numBytes(frames)).toBeLessThan(1300);
    const result = received(frames, values.length);
    expect(bytesOf(result).equals(bytesOf(values))).toBe(true);
  });

  it("gives no frame for no values", () => {
    const values = new Float32Array(0);
    expect(encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues: 3 })).toEqual([]);
  });

  it.each([
    ["many rows of one value", MAX_FRAME_ROWS + 3, 1, 50],
    ["rows that together cover more than a frame may", 1100, 1000, 50],
    ["rows of which more is left than a frame carries", 1200, 1000, 3],
    ["rows larger than a frame", 2, MAX_FRAME_BYTES / 4 + 1, 2],
  ])("cuts %s into frames within the limits", (_, numRows, rowValues, everyNth) => {
    for (const value of [0.1, 0.5]) {
      const values = new Float32Array(numRows * rowValues);
      for (let row = 0; row < numRows; row += everyNth) values[row * rowValues] = value;
      const frames = encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues });
      for (const frame of frames) {
        expect(frame.payload.byteLength).toBeLessThanOrEqual(MAX_FRAME_BYTES);
        expect(frame.rows?.numRows ?? 0).toBeLessThanOrEqual(MAX_FRAME_ROWS);
        expect((frame.rows?.numRows ?? 0) * rowValues).toBeLessThanOrEqual(MAX_FRAME_VALUES);
      }
      expect(numBytes(frames)).toBeLessThanOrEqual(values.byteLength);
      expect(bytesOf(received(frames, values.length)).equals(bytesOf(values))).toBe(true);
    }
  });

  it("fits the largest frame with the largest mask into a message", () => {
    const max = 0xffff_ffff;
    const frame: TensorFrame = {
      ...{ transfer: max, transferKind: "gradient", leaf: max, firstValue: max, crc32: max },
      payload: new Uint8Array(MAX_FRAME_BYTES),
      rows: { rowValues: max, numRows: max, mask: new Uint8Array(MAX_FRAME_ROWS / 8) },
      valueFormat: "bfloat16",
    };
    const { length } = workerMessageCodec.encode({ kind: "frame", frame });
    expect(length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  });
});

describe("checkFrame of a gradient in a smaller form", () => {
  const values = new Float32Array(40);
  values.set([1.1, 2, 3, 4], 4);
  const [sparse] = encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues: 4 });
  const frame = sparse!;
  const rows = frame.rows!;
  /** With a CRC that is right, so that it is not what gives the frame away. */
  const changed = (change: Partial<TensorFrame>): TensorFrame => {
    const { payload, rows: others } = { ...frame, ...change };
    return {
      ...frame,
      ...change,
      crc32: crc32(Buffer.concat([others?.mask ?? Buffer.alloc(0), payload])),
    };
  };

  it("takes it as it was sent", () => {
    expect(codeOf(() => checkFrame(frame))).toBe("nothing thrown");
    expect(codeOf(() => checkFrame(changed({})))).toBe("nothing thrown");
  });

  it("finds every single flipped bit of payload and mask", () => {
    for (let bit = 0; bit < frame.payload.length * 8; bit++) {
      const payload = Uint8Array.from(frame.payload);
      payload[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => checkFrame({ ...frame, payload }))).toBe("checksum");
    }
    // Two bits at once, so that their number stays what the payload calls for.
    const mask = Uint8Array.of(0b100, 0);
    expect(codeOf(() => checkFrame({ ...frame, rows: { ...rows, mask } }))).toBe("checksum");
  });

  it.each<[string, Partial<TensorFrame>, string]>([
    ["a mask that is too short", { rows: { ...rows, mask: Uint8Array.of(0b10) } }, "frameSize"],
    ["a mask that is too long", { rows: { ...rows, mask: Uint8Array.of(2, 0, 0) } }, "frameSize"],
    ["no mask", { rows: { ...rows, mask: new Uint8Array(0) } }, "frameSize"],
    ["a bit beyond the rows", { rows: { ...rows, mask: Uint8Array.of(0, 0b100) } }, "frameSize"],
    ["a bit too many", { rows: { ...rows, mask: Uint8Array.of(0b11, 0) } }, "frameSize"],
    ["a bit too few", { rows: { ...rows, mask: Uint8Array.of(0, 0) } }, "frameSize"],
    ["rows of another size", { rows: { ...rows, rowValues: 2 } }, "frameSize"],
    [
      "rows without values",
      { rows: { ...rows, rowValues: 0 }, payload: new Uint8Array(0) },
      "frameSize",
    ],
    [
      "no rows",
      { rows: { ...rows, numRows: 0, mask: new Uint8Array(0) }, payload: new Uint8Array(0) },
      "frameSize",
    ],
    ["part of a row", { payload: frame.payload.subarray(4) }, "frameSize"],
    ["part of a value", { payload: frame.payload.subarray(0, 15) }, "frameSize"],
    ["values of two bytes in a payload of four", { valueFormat: "bfloat16" }, "frameSize"],
    [
      "more rows than a frame may cover",
      {
        rows: {
          rowValues: 1,
          numRows: MAX_FRAME_ROWS + 8,
          mask: new Uint8Array(MAX_FRAME_ROWS / 8 + 1),
        },
      },
      "frameTooLarge",
    ],
    [
      "few bytes that stand for more values than a frame may cover",
      {
        rows: { rowValues: MAX_FRAME_VALUES, numRows: 2, mask: Uint8Array.of(0) },
        payload: new Uint8Array(0),
      },
      "frameTooLarge",
    ],
    [
      "few bytes that stand for 2^64 values",
      {
        rows: { rowValues: 0xffff_ffff, numRows: 0xffff_ffff, mask: Uint8Array.of(0) },
        payload: new Uint8Array(0),
      },
      "frameTooLarge",
    ],
    ["rows of parameters", { transferKind: "parameters" }, "frameSize"],
    ["rows of a carried state", { transferKind: "carriedState" }, "frameSize"],
    [
      "half a bfloat16",
      { rows: undefined, valueFormat: "bfloat16", payload: new Uint8Array(3) },
      "frameSize",
    ],
    [
      "no bfloat16",
      { rows: undefined, valueFormat: "bfloat16", payload: new Uint8Array(0) },
      "frameSize",
    ],
    [
      "parameters in bfloat16",
      { rows: undefined, valueFormat: "bfloat16", transferKind: "parameters" },
      "frameSize",
    ],
  ])("refuses %s, and so does readFrameInto before it writes", (_, change, code) => {
    const hostile = changed(change);
    expect(codeOf(() => checkFrame(hostile))).toBe(code);
    const destination = new Float32Array(40).fill(7);
    expect(codeOf(() => readFrameInto(hostile, destination))).toBe(code);
    expect(destination.every((value) => value === 7)).toBe(true);
  });

  it("takes no frame whose rows reach beyond the buffer, though its payload does not", () => {
    const destination = new Float32Array(39).fill(7);
    expect(codeOf(() => readFrameInto(frame, destination))).toBe("frameOutOfBounds");
    const late = { ...frame, firstValue: 1 };
    expect(codeOf(() => readFrameInto(late, new Float32Array(40)))).toBe("frameOutOfBounds");
    expect(destination.every((value) => value === 7)).toBe(true);
  });

  it("of anything is a WireError or a range within the buffer, nothing else", () => {
    const frames = fc.record({
      firstValue: fc.nat(20),
      payload: fc.uint8Array({ maxLength: 80 }),
      valueFormat: fc.constantFrom("bfloat16" as const, undefined),
      rows: fc.option(
        fc.record({
          rowValues: fc.oneof(fc.nat(5), fc.nat(2 ** 32 - 1)),
          numRows: fc.oneof(fc.nat(20), fc.nat(2 ** 32 - 1)),
          mask: fc.uint8Array({ maxLength: 4, max: 15 }),
        }),
        { nil: undefined },
      ),
    });
    let numTaken = 0;
    fc.assert(
      fc.property(frames, (fields) => {
        const any: TensorFrame = {
          transfer: 1,
          transferKind: "gradient",
          leaf: 0,
          crc32: 0,
          ...fields,
        };
        const whole = new Float32Array(60).fill(7);
        try {
          const numValues = readFrameInto(any, whole.subarray(10, 50));
          const before = whole.subarray(0, 10 + any.firstValue);
          const after = whole.subarray(10 + any.firstValue + numValues);
          expect([...before, ...after].every((value) => value === 7)).toBe(true);
          numTaken += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 3000, seed: 20 },
    );
    expect(numTaken).toBeGreaterThan(100);
  });
});

describe("the share of rows that are not zeros", () => {
  it("counts a row with any bit set", () => {
    expect(scanRows(Float32Array.of(0, 0, 0, -0, 0, 0, 2 ** -149, 0), 2)?.share).toBe(0.5);
    expect(scanRows(new Float32Array(6), 3)?.share).toBe(0);
  });

  it("sees each value of a row, of any width", () => {
    for (let width = 1; width <= 9; width++) {
      for (let at = 0; at < 3 * width; at++) {
        const values = new Float32Array(3 * width);
        values[at] = 1;
        const scan = scanRows(values, width);
        const kept = [0, 1, 2].filter((row) => scan?.isKept(row));
        expect(kept).toEqual([Math.floor(at / width)]);
      }
    }
  });

  it("there is none of what is no matrix", () => {
    expect(scanRows(new Float32Array(6), 0)).toBeUndefined();
    expect(scanRows(new Float32Array(0), 2)).toBeUndefined();
    expect(scanRows(new Float32Array(6), 4)).toBeUndefined();
  });
});

describe("a quicker CRC-32", () => {
  it("is what frames are made and checked with, until it is taken away", () => {
    const made = (): TensorFrame => {
      const values = Float32Array.of(0.1, 0.2);
      const [frame] = encodeGradientFrames({ transfer: 1, firstValue: 0, values, rowValues: 0 });
      if (frame === undefined) throw new Error("there is a frame");
      return { ...frame, crc32: frame.crc32 };
    };
    computeCrc32By((bytes, value) => bytes.length + value);
    const frame = made();
    expect(frame.crc32).toBe(8);
    checkFrame(frame);
    computeCrc32By(undefined);
    expect(made().crc32).toBe(crc32(frame.payload));
    expect(
      codeOf(() => {
        checkFrame(frame);
      }),
    ).toBe("checksum");
  });
});
