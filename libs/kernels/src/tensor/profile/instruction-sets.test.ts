/** The bits of every kernel are the same on every instruction set, for any number of threads. */
import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { hasNative } from "../../../test/support/backends.js";
import { selectBackend, selectThreads } from "../backends.js";
import { matMulBias } from "../contract/index.js";
import { fixedComputation } from "./fixed-computation.js";
import { nativeAddon } from "../native/index.js";

const names = process.arch === "arm64" ? ["portable", "neon"] : ["portable", "avx2", "avx512"];

describe.runIf(hasNative).each(["native", "native-bfloat16"] as const)(
  "every kernel of the contract gives the same bits on %s",
  (backend) => {
    let best = "";
    let expected = new Uint8Array();
    beforeAll(async () => {
      await selectBackend(backend);
      best = nativeAddon().instructionSet();
      await selectThreads(1);
      nativeAddon().selectInstructionSet("portable");
      nativeAddon().selectMatrixUnit(false);
      expected = fixedComputation();
    });
    afterAll(async () => {
      nativeAddon().selectInstructionSet(best);
      nativeAddon().selectMatrixUnit(true);
      await selectThreads(1);
    });

    it.for(names)("on %s with 1, 2 and 3 threads", async (name, { skip }) => {
      if (!nativeAddon().selectInstructionSet(name)) skip(`this processor has no ${name}`);
      expect(nativeAddon().instructionSet()).toBe(name);
      for (const threads of [1, 2, 3]) {
        await selectThreads(threads);
        for (const hasUnit of [false, true]) {
          nativeAddon().selectMatrixUnit(hasUnit);
          const found = Buffer.compare(fixedComputation(), expected);
          expect(found, `${threads} threads, matrix unit: ${hasUnit}`).toBe(0);
        }
      }
    });
  },
);

const fractionOf = (x: number): number => x - Math.floor(x);

describe.runIf(hasNative)("a product in bfloat16", () => {
  it("is near the one in float32, and not the same", async () => {
    const [numRows, inner, columns] = [20, 300, 50];
    const valuesOf = (count: number, seed: number): Float32Array =>
      Float32Array.from(
        { length: count },
        (_, n) => fractionOf(Math.sin(seed + n) * 43758.5) - 0.5,
      );
    const products: Float32Array[] = [];
    for (const backend of ["native", "native-bfloat16"] as const) {
      await selectBackend(backend);
      const product = tidy(() =>
        matMulBias(
          tensor2d(valuesOf(numRows * inner, 1), [numRows, inner]),
          tensor2d(valuesOf(inner * columns, 2), [inner, columns]),
        ).dataSync<"float32">(),
      );
      products.push(product);
    }
    const [exact, rounded] = products as [Float32Array, Float32Array];
    expect(rounded).not.toEqual(exact);
    const error = Math.hypot(...exact.map((value, n) => value - rounded[n]!));
    expect(error / Math.hypot(...exact)).toBeLessThan(0.01);
  });
});
