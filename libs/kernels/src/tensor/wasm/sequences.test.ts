import { tidy, unregisterKernel } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, beforeAll, expect, it } from "vitest";

import { expectClose } from "../../../test/support/expect-close.js";
import { runCell, tensorsOf } from "../../../test/support/kernel-cells.js";
import { cellVariants, randomCellCase } from "../../../test/support/random-cell-case.js";
import { selectBackend } from "../backends.js";
import { KERNEL_NAMES } from "../contract/index.js";
import { REFERENCE_KERNELS } from "../reference/index.js";
import { registerKernelTable } from "../registered-kernel.js";
import type { KernelTable } from "../registered-kernel.js";
import { WASM_KERNELS } from "./wasm-kernels.js";

function useOnWasm(table: KernelTable): void {
  for (const name of Object.values(KERNEL_NAMES)) unregisterKernel(name, "wasm");
  registerKernelTable("wasm", table);
}

beforeAll(() => selectBackend("wasm"));
afterEach(() => useOnWasm(WASM_KERNELS));

it("recurrent layers of the wasm backend agree with the reference, whatever the sizes", () => {
  const sizes = fc.record({
    numSteps: fc.integer({ min: 1, max: 6 }),
    numRows: fc.integer({ min: 1, max: 11 }),
    hiddenSize: fc.constantFrom(1, 2, 3, 7, 16, 37, 65),
    stateSize: fc.constantFrom(1, 3, 8, 17),
  });
  fc.assert(
    fc.property(cellVariants, sizes, fc.integer(), ({ spec, options }, given, seed) => {
      const cellCase = randomCellCase(spec, options, given, seed);
      const numbers = (table: KernelTable): [number[], Float32Array][] => {
        useOnWasm(table);
        const found: [number[], Float32Array][] = [];
        tidy(() => {
          const { hidden, cell, perPosition, gradients } = runCell(spec, tensorsOf(cellCase));
          const tensors = [hidden, ...(cell ? [cell] : []), ...perPosition] as Tensor[];
          for (const tensor of [...tensors, ...Object.values(gradients)]) {
            found.push([tensor.shape, tensor.dataSync<"float32">().slice()]);
          }
        });
        return found;
      };
      const expected = numbers(REFERENCE_KERNELS);
      const actual = numbers(WASM_KERNELS);
      expect(actual.map(([shape]) => shape)).toEqual(expected.map(([shape]) => shape));
      for (const [k, [, values]] of actual.entries()) {
        expectClose(values, expected[k]![1], 2e-5);
      }
    }),
    { numRuns: 150 },
  );
});
