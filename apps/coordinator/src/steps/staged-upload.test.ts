import { crc32 } from "node:zlib";
import type { StatisticsLayout } from "@ostinato/lstm";
import { checksumOfFrames, encodeFrames } from "@ostinato/proto";
import type { LeafResult, TensorFrame } from "@ostinato/proto";
import { describe, expect, it } from "vitest";
import { StagedUpload } from "./index.js";

const node = { firstLeaf: 2, numLeaves: 2 };
const results: readonly LeafResult[] = [3, 2].map((leaf) => ({
  leaf,
  lossSum: leaf,
  lossWeight: 4,
  numSamples: 4,
  sampleDigest: new Uint8Array(32),
}));

const gradientFrames = (values: readonly number[], firstValue = 0): TensorFrame[] =>
  encodeFrames({
    transfer: 1,
    transferKind: "gradient",
    firstValue,
    values: Float32Array.from(values),
  });
const stateFrames = (leaf: number, values: readonly number[]): TensorFrame[] =>
  encodeFrames({
    transfer: 1,
    transferKind: "carriedState",
    leaf,
    values: Float32Array.from(values),
  });

const good = (): TensorFrame[] => [
  ...gradientFrames([3, 4], 2),
  ...gradientFrames([1, 2]),
  ...stateFrames(2, [5]),
  ...stateFrames(3, [6]),
];

function receive(
  frames: readonly TensorFrame[],
  leaves = results,
  numFrames = frames.length,
  statistics: StatisticsLayout = { entries: [], size: 0 },
  isRounded = false,
) {
  const staged = new StagedUpload(
    {
      ...{ node, numParameters: 4, stateSizeOf: () => 1, statistics, totalLossWeight: 16 },
      isRounded,
    },
    // What a buffer of the pool has in it is unspecified.
    new Float32Array(4).fill(9),
  );
  for (const frame of frames) staged.receive(frame);
  return staged.finish({
    leaves,
    numFrames,
    checksum: checksumOfFrames(frames.map((frame) => frame.crc32)),
  });
}

describe("StagedUpload", () => {
  it("puts frames that arrive last layer first where they belong", () => {
    const outcome = receive(good());
    if (outcome.kind !== "complete") throw new Error(outcome.kind);
    expect([...outcome.upload.gradient]).toEqual([1, 2, 3, 4]);
    expect(outcome.upload.leaves.map(({ leaf }) => leaf)).toEqual([2, 3]);
    expect([...(outcome.upload.states.get(3) ?? [])]).toEqual([6]);
  });

  it.each([
    [
      "a flipped bit",
      "checksum",
      () => good().map((frame, i) => (i === 0 ? flipped(frame) : frame)),
    ],
    ["a gap", "shape", () => good().slice(1)],
    ["an overlap", "shape", () => [...gradientFrames([1, 2, 3]), ...good().slice(1)]],
    ["values beyond the end", "shape", () => [...gradientFrames([1], 4), ...good()]],
    ["a foreign leaf", "shape", () => [...good(), ...stateFrames(7, [1])]],
    ["no carried state", "shape", () => good().slice(0, 3)],
    ["empty frames", "shape", () => [...good(), { ...emptyFrame(), transfer: 1 }]],
  ])("refuses an upload with %s as %s", (_, reason, frames) => {
    expect(receive(frames())).toMatchObject({ kind: "rejected", reason });
  });

  it("refuses an upload that is not what the sender summed up", () => {
    expect(receive(good(), results, 3)).toMatchObject({ kind: "rejected", reason: "checksum" });
  });

  it.each([
    ["missing", results.slice(1)],
    ["doubled", [...results, ...results]],
    ["foreign", results.map((result) => ({ ...result, leaf: result.leaf + 4 }))],
    ["of negative weight", results.map((result) => ({ ...result, lossWeight: -1 }))],
    ["of no weight", results.map((result) => ({ ...result, lossWeight: NaN }))],
    ["heavier than the whole batch", results.map((result) => ({ ...result, lossWeight: 17 }))],
  ])("refuses leaf results that are %s", (_, leaves) => {
    expect(receive(good(), leaves)).toMatchObject({ kind: "rejected", reason: "malformed" });
  });

  it.each([
    ["gradient", [...gradientFrames([3, NaN], 2), ...good().slice(1)], results],
    ["carried state", [...good().slice(0, 3), ...stateFrames(3, [Infinity])], results],
    ["loss", good(), results.map((result) => ({ ...result, lossSum: NaN }))],
  ])("keeps a %s that is not finite apart from broken uploads", (_, frames, leaves) => {
    expect(receive(frames, leaves)).toMatchObject({ kind: "nonFinite" });
  });

  describe("of a gradient that leaves something out", () => {
    const states = [...stateFrames(2, [5]), ...stateFrames(3, [6])];
    /** Two rows of two values; the payload has those of the mask. */
    const rowsFrame = (mask: number, payload: readonly number[], firstValue = 0): TensorFrame => {
      const bytes = new Uint8Array(Float32Array.from(payload).buffer);
      const rows = { rowValues: 2, numRows: 2, mask: Uint8Array.of(mask) };
      return {
        ...{ transfer: 1, transferKind: "gradient", leaf: 0, firstValue, rows, payload: bytes },
        crc32: crc32(Buffer.concat([rows.mask, bytes])),
      };
    };
    const gradientOf = (...frames: TensorFrame[]): readonly number[] => {
      const outcome = receive([...frames, ...states]);
      if (outcome.kind !== "complete") throw new Error(JSON.stringify(outcome));
      return [...outcome.upload.gradient];
    };

    it("has zeros in the rows that are not there, whatever the buffer had", () => {
      expect(gradientOf(rowsFrame(0b10, [3, 4]))).toEqual([0, 0, 3, 4]);
      expect(gradientOf(rowsFrame(0b01, [-0, 4]))).toEqual([-0, 4, 0, 0]);
    });

    it("is whole with no row at all", () => {
      expect(gradientOf(rowsFrame(0, []))).toEqual([0, 0, 0, 0]);
    });

    it("is widened from bfloat16", () => {
      // 1 is 0x3F80, -1.5 0xBFC0.
      const payload = Uint8Array.from(Buffer.from("803fc0bf803fc0bf", "hex"));
      const frame: TensorFrame = {
        ...{ transfer: 1, transferKind: "gradient", leaf: 0, firstValue: 0, payload },
        ...{ crc32: crc32(payload), valueFormat: "bfloat16" },
      };
      expect(gradientOf(frame)).toEqual([1, -1.5, 1, -1.5]);
    });

    it.each<[string, readonly TensorFrame[]]>([
      ["covers values twice", [rowsFrame(0, []), rowsFrame(0, [])]],
      ["reaches beyond the gradient", [rowsFrame(0, [], 2)]],
      ["has fewer values than its mask says", [rowsFrame(0b11, [3, 4])]],
      ["has a bit beyond its rows", [rowsFrame(0b110, [3, 4])]],
      ["leaves values out that no row has", [rowsFrame(0b10, [3, 4]), ...gradientFrames([1], 0)]],
    ])("is refused where it %s", (_, frames) => {
      const outcome = receive([...frames, ...states]);
      expect(outcome).toMatchObject({ kind: "rejected", reason: "shape" });
    });

    it("is not finite where a row that is there is not", () => {
      const outcome = receive([rowsFrame(0b10, [3, -Infinity]), ...states]);
      expect(outcome).toMatchObject({
        ...{ kind: "nonFinite", detail: "gradient value 3 is -Infinity" },
      });
    });
  });

  describe("of a run that rounds its gradients", () => {
    const rounded = (values: readonly number[]) => {
      const frames = [...gradientFrames(values), ...stateFrames(2, [0.1]), ...stateFrames(3, [6])];
      return receive(frames, results, frames.length, undefined, true);
    };

    it("takes bfloat16 values in four bytes as well, and states that are not rounded", () => {
      expect(rounded([1, -1.5, 0, 2 ** -133])).toMatchObject({ kind: "complete" });
    });

    it("refuses a gradient that was not rounded, by its value", () => {
      expect(rounded([1, -1.5, 1 + 2 ** -8, 0])).toMatchObject({
        ...{ kind: "rejected", reason: "malformed" },
        detail: "gradient value 2 is 1.00390625, which is not rounded to bfloat16",
      });
    });

    it("keeps what overflowed apart from broken uploads", () => {
      expect(rounded([1, Infinity, NaN, 0])).toMatchObject({ kind: "nonFinite" });
    });
  });

  describe("of a model that normalizes by batch", () => {
    const statistics: StatisticsLayout = {
      entries: [{ name: "layers.0.norm", size: 1, offset: 0 }],
      size: 2,
    };
    const moments = (leaf: number, values: readonly number[]): TensorFrame[] =>
      encodeFrames({
        ...{ transfer: 1, transferKind: "moments", leaf },
        values: Float64Array.from(values),
      });
    const whole = (...ofLeaf3: readonly TensorFrame[]) => {
      const frames = [...good(), ...moments(2, [2, 0.1, 0.5]), ...ofLeaf3];
      return receive(frames, results, frames.length, statistics);
    };

    it("has the moments of each leaf, to the bit", () => {
      const outcome = whole(...moments(3, [1, 1 / 3, 0]));
      if (outcome.kind !== "complete") throw new Error(outcome.kind);
      expect(outcome.upload.moments).toEqual(
        new Map([
          [2, Float64Array.of(2, 0.1, 0.5)],
          [3, Float64Array.of(1, 1 / 3, 0)],
        ]),
      );
    });

    it.each([
      ["no moments of a leaf", "shape", []],
      ["too few of them", "shape", moments(3, [1, 0])],
      ["too many", "shape", moments(3, [1, 0, 0, 0])],
      ["those of a foreign leaf", "shape", moments(5, [1, 0, 0])],
      ["a damaged frame", "checksum", moments(3, [1, 0, 0]).map(flipped)],
      ["half a count", "malformed", moments(3, [0.5, 0, 0])],
      ["a negative count", "malformed", moments(3, [-1, 0, 0])],
      ["a negative sum of squares", "malformed", moments(3, [1, 0, -1])],
    ])("refuses an upload with %s as %s", (_, reason, frames) => {
      expect(whole(...frames)).toMatchObject({ kind: "rejected", reason });
    });

    it("keeps moments that are not finite apart from broken uploads, and knows them again", () => {
      const [nan, infinite] = [NaN, Infinity].map((value) => whole(...moments(3, [1, value, 0])));
      expect(nan).toMatchObject({
        kind: "nonFinite",
        detail: "moments value 1 of leaf 3 is NaN",
      });
      expect(whole(...moments(3, [1, NaN, 0]))).toEqual(nan);
      expect(infinite).not.toMatchObject({
        fingerprint: (nan as { fingerprint: number }).fingerprint,
      });
    });
  });

  it("refuses moments of a model that has none as shape", () => {
    const values = Float64Array.of(1, 0, 0);
    const frames = encodeFrames({ transfer: 1, transferKind: "moments", leaf: 2, values });
    expect(receive([...good(), ...frames])).toMatchObject({ kind: "rejected", reason: "shape" });
  });

  it("knows equal results that are not finite by values, not by the bits of a NaN", () => {
    const withNaN = (bits: number, rest: number) => {
      const values = new Float32Array([0, rest]);
      new Uint32Array(values.buffer)[0] = bits;
      const frames = encodeFrames({
        transfer: 1,
        transferKind: "gradient",
        firstValue: 2,
        values,
      });
      const outcome = receive([...frames, ...good().slice(1)]);
      if (outcome.kind !== "nonFinite") throw new Error(outcome.kind);
      return outcome.fingerprint;
    };
    const [quiet, negative] = [0x7fc00000, 0xffc00001];
    expect(withNaN(negative, 4)).toBe(withNaN(quiet, 4));
    expect(withNaN(negative, 5)).not.toBe(withNaN(quiet, 4));
  });
});

function flipped(frame: TensorFrame): TensorFrame {
  const payload = Uint8Array.from(frame.payload);
  payload[1] = (payload[1] ?? 0) ^ 4;
  return { ...frame, payload };
}

function emptyFrame(): TensorFrame {
  return {
    transfer: 1,
    transferKind: "gradient",
    leaf: 0,
    firstValue: 0,
    payload: new Uint8Array(0),
    crc32: 0,
  };
}
