import { readFile } from "node:fs/promises";
import { join } from "node:path";

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { RunError } from "../errors/index.js";
import { decodeSafetensors, encodeSafetensors, readDoubles, readFloats } from "./safetensors.js";

const fixtures = join(import.meta.dirname, "..", "..", "fixtures");

/** A file with this header, and as many zero bytes after it. */
function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("encodeSafetensors", () => {
  it("writes the bytes that the format asks for", () => {
    const header =
      '{"__metadata__":{"step":"7"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    expect(header).toHaveLength(82); // padded with spaces to 88, the next multiple of 8
    const file = encodeSafetensors([{ name: "b", shape: [2], values: Float32Array.of(1, -2) }], {
      step: "7",
    });
    // 88 as uint64; 1 is 0x3f800000 and -2 is 0xc0000000, lowest byte first.
    const expected = Buffer.concat([
      Buffer.from([88, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(`${header}      `),
      Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]),
    ]);
    expect(Buffer.from(file).equals(expected)).toBe(true);
  });

  it("writes float64 values as F64", () => {
    const header = '{"__metadata__":{},"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}';
    expect(header).toHaveLength(73); // padded to 80
    const values = Float64Array.of(9, 1, -2).subarray(1);
    const file = encodeSafetensors([{ name: "d", shape: [2], values }]);
    // 1 is 0x3ff0000000000000 and -2 is 0xc000000000000000, lowest byte first.
    const data = "000000000000f03f00000000000000c0";
    const expected = Buffer.concat([
      Buffer.from([80, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(header.padEnd(80)),
      Buffer.from(data, "hex"),
    ]);
    expect(Buffer.from(file).equals(expected)).toBe(true);
    const read = decodeSafetensors(file);
    expect(readDoubles(read, "d", [2])).toEqual(Float64Array.of(1, -2));
    expect(() => readFloats(read, "d", [2])).toThrow("d is of type F64, not F32");
    expect(() => readDoubles(read, "d", [1, 2])).toThrow("d has shape [2], not [1, 2]");
  });

  it("writes views at any offset of a buffer", () => {
    const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const file = decodeSafetensors(encodeSafetensors([{ name: "v", shape: [2, 1], values }]));
    expect(readFloats(file, "v", [2, 1])).toEqual(Float32Array.of(1, 2));
  });

  it("refuses a shape that its values do not fill, and a name given twice", () => {
    const tensor = { name: "v", shape: [3], values: new Float32Array(2) };
    expect(() => encodeSafetensors([tensor])).toThrow("v has 2 values, its shape [3] others");
    const right = { ...tensor, shape: [2] };
    expect(() => encodeSafetensors([right, right])).toThrow("two tensors are named v");
  });
});

describe("decodeSafetensors", () => {
  let mixed: Uint8Array;
  beforeAll(async () => {
    mixed = await readFile(join(fixtures, "mixed.safetensors"));
  });

  it("reads a file of the reference implementation", () => {
    const file = decodeSafetensors(mixed);
    expect(file.metadata).toEqual({ format: "np", step: "7" });
    expect([...file.tensors.keys()].sort()).toEqual(["empty", "ids", "kernel", "mask", "scalar"]);
    // The values that tools/make-safetensors-fixtures.py wrote; 1e-45 is the smallest subnormal.
    expect(readFloats(file, "kernel", [2, 3])).toEqual(
      Float32Array.of(1.5, -2.25, 0, 2 ** -149, 3.4028235e38, -0),
    );
    expect(readFloats(file, "scalar", [])).toEqual(Float32Array.of(0.1));
    expect(readFloats(file, "empty", [0, 4])).toEqual(new Float32Array(0));
    expect(file.tensors.get("ids")).toEqual({
      type: "U16",
      shape: [3],
      bytes: Buffer.from([1, 0, 2, 0, 255, 255]),
    });
    expect(file.tensors.get("mask")?.type).toBe("BOOL");
  });

  it("reads back whatever was encoded, bit for bit", () => {
    const tensors = fc.uniqueArray(
      fc.record({
        name: fc.string().filter((name) => name !== "__metadata__" && name !== "__proto__"),
        values: fc.float32Array({ maxLength: 20 }),
      }),
      { selector: ({ name }) => name, maxLength: 5 },
    );
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (given, metadata) => {
        fc.pre(!Object.hasOwn(metadata, "__proto__"));
        const shaped = given.map((tensor) => ({ ...tensor, shape: [tensor.values.length] }));
        const file = decodeSafetensors(encodeSafetensors(shaped, metadata));
        expect(file.metadata).toEqual({ ...metadata });
        for (const { name, values } of given) {
          const read = readFloats(file, name);
          expect(Buffer.from(read.buffer).equals(Buffer.from(values.slice().buffer))).toBe(true);
        }
      }),
    );
  });

  it("gives a tensor or a typed error for any bytes, and never reads past their end", () => {
    const mutated = fc
      .tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 }), fc.nat({ max: 400 }))
      .map(([position, value, cut]) => {
        const bytes = Buffer.from(mixed);
        bytes[position % bytes.length] = value;
        return bytes.subarray(0, Math.max(0, bytes.length - (cut % 3 === 0 ? cut : 0)));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
        try {
          const file = decodeSafetensors(bytes);
          let size = 0;
          for (const tensor of file.tensors.values()) size += tensor.bytes.length;
          expect(size).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RunError);
          expect((error as RunError).code).toBe("tensorsCorrupt");
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("gives a typed error for any header of entries that do not cover the data", () => {
    const offset = fc.oneof(fc.nat({ max: 64 }), fc.double(), fc.constant(2 ** 53));
    const anyEntry = fc.record({
      dtype: fc.constantFrom("F32", "U8", "F64", "F128"),
      shape: fc.array(offset, { maxLength: 3 }),
      data_offsets: fc.array(offset, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyEntry), fc.nat({ max: 64 }), (header, size) => {
        try {
          const { tensors } = decodeSafetensors(fileOf(header, size));
          const covered = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
          expect(covered).toBe(size);
        } catch (error) {
          expect((error as RunError).code).toBe("tensorsCorrupt");
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each<[name: string, bytes: () => Uint8Array, reason: string]>([
    ["no length", () => new Uint8Array(7), "7 bytes do not hold a length"],
    [
      "a header longer than the file",
      () => fileOf("{}", 0).map((byte, i) => (i === 0 ? 3 : byte)),
      "a header of 3 bytes; at most 2 can be",
    ],
    [
      "a header of 2^64 - 1 bytes",
      () => new Uint8Array(64).fill(255),
      "a header of 18446744073709551615 bytes; at most 56 can be",
    ],
    ["no JSON", () => fileOf("{", 0), "the header is not JSON"],
    ["a list", () => fileOf("[]", 0), "the header is no JSON object"],
    ["a space before the brace", () => fileOf(" {}", 0), "the header is no JSON object"],
    [
      "metadata of numbers",
      () => fileOf({ __metadata__: { a: 1 } }, 0),
      "__metadata__ is no table",
    ],
    ["an unknown type", () => fileOf({ a: { ...entry(0, 4), dtype: "F31" } }, 4), "the entry of a"],
    [
      "a shape of another size",
      () => fileOf({ a: entry(0, 8, [3]) }, 8),
      "a has 8 bytes, not those",
    ],
    ["a negative range", () => fileOf({ a: entry(8, 4, [1]) }, 8), "a has -4 bytes, not those"],
    ["a hole", () => fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12), "b begins at byte 8"],
    ["an overlap", () => fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12), "b begins at byte 4"],
    ["a range past the end", () => fileOf({ a: entry(0, 8) }, 4), "have 8 bytes, the file has 4"],
    ["bytes of no tensor", () => fileOf({ a: entry(0, 4) }, 5), "have 4 bytes, the file has 5"],
  ])("refuses %s", (_, bytes, reason) => {
    expect(() => decodeSafetensors(bytes())).toThrow(
      expect.objectContaining({
        code: "tensorsCorrupt",
        message: expect.stringContaining(reason),
      }),
    );
  });
});

describe("readFloats", () => {
  const file = decodeSafetensors(
    encodeSafetensors([{ name: "a", shape: [1, 2], values: Float32Array.of(1, 2) }]),
  );

  it("gives a copy that can be written", () => {
    readFloats(file, "a")[0] = 9;
    expect(readFloats(file, "a")[0]).toBe(1);
  });

  it("refuses another name or shape", () => {
    expect(() => readFloats(file, "b")).toThrow("there is no tensor b");
    expect(() => readFloats(file, "a", [2, 1])).toThrow("a has shape [1, 2], not [2, 1]");
  });
});
