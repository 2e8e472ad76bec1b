/** Values that leave tensors, and their memory's way back. */
import { slice, transpose } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";

import { allBackends, hasNative } from "../../test/support/backends.js";
import { selectBackend } from "./backends.js";
import { joined, recycle, tensorOf } from "./tensor-values.js";

/** Of a tensor that is gone. */
function valuesOf(...values: number[]): Float32Array {
  const tensor = tensorOf(Float32Array.from(values), [values.length]);
  const read = tensor.dataSync<"float32">();
  tensor.dispose();
  return read;
}

describe.each(allBackends)("on %s", (backend) => {
  it("joins arrays to one of their own values", async () => {
    await selectBackend(backend);
    const parts = [valuesOf(1, 2), valuesOf(), valuesOf(3)];
    expect(joined(parts)).toEqual(Float32Array.of(1, 2, 3));
    expect(joined([])).toEqual(new Float32Array(0));
  });
});

describe.runIf(hasNative)("on native", () => {
  it("uses the memory of what was joined again, and of what came back", async () => {
    await selectBackend("native");
    const parts = [valuesOf(1, 2, 3), valuesOf(4, 5)];
    const whole = joined(parts);
    expect(valuesOf(6, 7, 8)).toBe(parts[0]);
    recycle([whole]);
    expect(valuesOf(1, 1, 1, 1, 1)).toBe(whole);
  });

  it("uses no part of a larger buffer", async () => {
    await selectBackend("native");
    const part = new Float32Array(14).subarray(7);
    recycle([part]);
    expect(valuesOf(1, 2, 3, 4, 5, 6, 7)).not.toBe(part);
  });

  it("keeps a view's memory for as long as the view is there", async () => {
    await selectBackend("native");
    const matrix = transpose(tensorOf(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])) as Tensor2D;
    const view = slice(matrix, [1, 0], [2, 2]);
    matrix.dispose();
    const other = tensorOf(new Float32Array(6).fill(9), [6]);
    expect([...view.dataSync()]).toEqual([2, 5, 3, 6]);
    view.dispose();
    other.dispose();
  });
});
