import { engine, slice, tensor, tile } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasNative } from "../../../test/support/backends.js";
import { selectBackend } from "../backends.js";
import type { BackendName } from "../backends.js";

interface Cut {
  readonly length: number;
  readonly begin: number;
  readonly size: number;
  readonly reps: number;
}

/** An axis, a part of it, and how often it is repeated. Often whole: what is copied at once ends at the last cut axis. */
const axis: fc.Arbitrary<Cut> = fc
  .record({ length: fc.integer({ min: 0, max: 7 }), isWhole: fc.boolean(), reps: fc.nat(3) })
  .chain(({ length, isWhole, reps }) =>
    isWhole
      ? fc.constant({ length, begin: 0, size: length, reps: 1 })
      : fc
          .tuple(fc.nat(length), fc.nat(length))
          .map(([a, b]) => ({ length, begin: Math.min(a, b), size: Math.abs(a - b), reps })),
  );
const axes = fc.array(axis, { minLength: 1, maxLength: 4 });
const dtypes = fc.constantFrom("float32" as const, "float32" as const, "int32" as const);

function filled(cuts: readonly Cut[], dtype: "float32" | "int32"): Tensor {
  const shape = cuts.map(({ length }) => length);
  const count = shape.reduce((product, length) => product * length, 1);
  const values = Array.from({ length: count }, (_, index) => index + 1);
  return tensor(values, shape, dtype);
}

async function on(backend: BackendName, make: () => Tensor): Promise<unknown> {
  await selectBackend(backend);
  const before = engine().state.numTensors;
  const made = engine().tidy(make);
  const { shape, dtype } = made;
  const told = { shape, dtype, values: [...made.dataSync()] };
  made.dispose();
  expect(engine().state.numTensors).toBe(before);
  return told;
}

async function expectAlike(make: () => Tensor): Promise<void> {
  expect(await on("native", make)).toEqual(await on("cpu", make));
}

describe.runIf(hasNative)("copies on native are those of tfjs's cpu backend", () => {
  it("of any part of a tensor", async () => {
    const check = fc.asyncProperty(axes, dtypes, async (cuts, dtype) => {
      const [begin, size] = [cuts.map((cut) => cut.begin), cuts.map((cut) => cut.size)];
      await expectAlike(() => slice(filled(cuts, dtype), begin, size));
    });
    await fc.assert(check, { numRuns: 300 });
  });

  it("of a tensor repeated along any axes", async () => {
    const check = fc.asyncProperty(axes, dtypes, async (cuts, dtype) => {
      await expectAlike(() => {
        const reps = cuts.map((cut) => cut.reps);
        return tile(filled(cuts, dtype), reps);
      });
    });
    await fc.assert(check, { numRuns: 300 });
  });

  it("and refuse a part that is not in the tensor", async () => {
    await selectBackend("native");
    expect(() => slice(tensor([1, 2, 3, 4], [2, 2]), [0, 1], [2, 2])).toThrow(
      /begin\[1\] \+ size\[1\]/,
    );
  });
});
