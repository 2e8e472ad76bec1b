import { describe, expect, it } from "vitest";

import { blocksOf } from "./tensor-blocks.js";
import { tensorRole } from "./tensor-role.js";
import type { CellSizes } from "./tensor-role.js";

const lstm: CellSizes = { cell: "lstm", hiddenSize: 8 };

describe("tensorRole", () => {
  it.each<[string, readonly number[], CellSizes, ReturnType<typeof tensorRole>]>([
    ["embedding.table", [50, 6], lstm, { kind: "embedding" }],
    [
      "layers.0.kernel",
      [14, 32],
      lstm,
      { kind: "cellKernel", inputRows: 6, gates: ["input", "forget", "candidate", "output"] },
    ],
    [
      "layers.1.backward.kernel",
      [24, 24],
      { cell: "gru", hiddenSize: 8 },
      { kind: "cellKernel", inputRows: 16, gates: ["reset", "update", "candidate"] },
    ],
    [
      "encoder.layers.2.forward.bias",
      [24],
      lstm,
      { kind: "cellBias", gates: ["input", "candidate", "output"] },
    ],
    [
      "layers.0.kernel",
      [9, 32],
      { ...lstm, stateSize: 3 },
      { kind: "cellKernel", inputRows: 6, gates: ["input", "forget", "candidate", "output"] },
    ],
    [
      "layers.0.bias",
      [8],
      { cell: "rnn", hiddenSize: 8 },
      { kind: "cellBias", gates: ["candidate"] },
    ],
    ["layers.0.projection", [8, 3], lstm, { kind: "linearKernel" }],
    ["layers.0.peephole", [3, 8], lstm, { kind: "shift" }],
    ["layers.0.recurrentGain", [32], lstm, { kind: "gain" }],
    ["layers.0.cellBias", [8], lstm, { kind: "shift" }],
    ["head.kernel", [8, 50], lstm, { kind: "linearKernel" }],
    ["head.bias", [50], lstm, { kind: "shift" }],
  ])("of %s %j", (name, shape, sizes, role) => {
    expect(tensorRole(name, shape, sizes)).toEqual(role);
  });

  it("refuses a cell's tensor of another size than its gates have", () => {
    expect(() => tensorRole("layers.0.bias", [16], lstm)).toThrow(
      new RangeError("layers.0.bias [16] is no tensor of lstm with 8"),
    );
  });
});

describe("blocksOf", () => {
  it("covers every value of a kernel once", () => {
    const shape = [14, 32];
    const counts = new Array<number>(14 * 32).fill(0);
    for (const block of blocksOf(shape, tensorRole("layers.0.kernel", shape, lstm))) {
      const [rows = 0, columns = 0] = block.shape;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          counts[block.offset + row * block.rowStride + column]!++;
        }
      }
    }
    expect(new Set(counts)).toEqual(new Set([1]));
  });
});
