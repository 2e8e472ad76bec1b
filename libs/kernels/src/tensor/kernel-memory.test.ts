/** Who frees what: a kernel leaves its outputs, or nothing when it throws. No tidy scope is open here. */
import { dispose, expandDims, memory, unregisterKernel } from "@tensorflow/tfjs-core";
import type { TensorContainer } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { allBackends } from "../../test/support/backends.js";
import { OPERATIONS } from "../../test/support/kernel-operations.js";
import { selectBackend } from "./backends.js";
import { KernelError } from "./kernel-error.js";
import { KERNEL_NAMES } from "./contract/index.js";
import { REFERENCE_KERNELS } from "./reference/index.js";
import { registerKernelTable } from "./registered-kernel.js";
import { WASM_KERNELS } from "./wasm/index.js";

it("has every operation of the contract", () => {
  expect([...new Set(OPERATIONS.map(({ name }) => name))].sort()).toEqual(
    Object.keys(KERNEL_NAMES).sort(),
  );
});

/** The wasm backend's kernels are replaced for a while: by the definition, then by its own again. */
function useOnWasm(table: typeof WASM_KERNELS): void {
  for (const name of Object.values(KERNEL_NAMES)) unregisterKernel(name, "wasm");
  registerKernelTable("wasm", table);
}

const ofBackends = allBackends.map((backend) => ({
  kernels: backend,
  backend,
  table: WASM_KERNELS,
}));

describe.each([
  ...ofBackends,
  { kernels: "the reference on wasm", backend: "wasm" as const, table: REFERENCE_KERNELS },
])("with the kernels of $kernels", ({ backend, table }) => {
  beforeAll(async () => {
    await selectBackend(backend);
    useOnWasm(table);
  });
  afterAll(() => useOnWasm(WASM_KERNELS));

  describe.each(OPERATIONS)("$name", ({ inputs: makeInputs, run, numOutputs, readLate }) => {
    it("leaves its outputs and nothing else", () => {
      const inputs = makeInputs();
      const before = memory();
      const outputs = run(inputs);
      expect(memory().numTensors).toBe(before.numTensors + numOutputs);
      dispose(outputs as TensorContainer);
      expect(memory()).toEqual(before);
      dispose(inputs);
    });

    it("leaves nothing when a shape is wrong", () => {
      const inputs = makeInputs();
      for (const [name, tensor] of Object.entries(inputs)) {
        const wrong = expandDims(tensor);
        const before = memory();
        expect(() => run({ ...inputs, [name]: wrong }), name).toThrow(KernelError);
        expect(memory(), name).toEqual(before);
        dispose(wrong);
      }
      dispose(inputs);
    });

    it("leaves nothing when it fails half-way, as with an input freed too early", () => {
      const empty = memory();
      const inputs = makeInputs();
      dispose(inputs[readLate]!);
      const before = memory();
      expect(() => run(inputs)).toThrow();
      expect(memory()).toEqual(before);
      dispose(inputs);
      expect(memory()).toEqual(empty);
    });
  });

  it.each(OPERATIONS.filter(({ name }) => name.includes("Sequence")))(
    "$name leaves nothing when it is told to stop",
    ({ inputs: makeInputs, run }) => {
      const inputs = makeInputs();
      const before = memory();
      const onTimeSteps = (): never => {
        throw new Error("stopped");
      };
      const stopped = run as (inputs: object) => object;
      expect(() => stopped({ ...inputs, onTimeSteps })).toThrow("stopped");
      expect(memory()).toEqual(before);
      dispose(inputs);
    },
  );
});
