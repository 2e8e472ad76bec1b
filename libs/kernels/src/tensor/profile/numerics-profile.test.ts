import { memory, tensor, unregisterKernel } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, it, vi } from "vitest";

import { allBackends } from "../../../test/support/backends.js";
import { selectBackend, selectedBackend } from "../backends.js";
import { KERNEL_NAMES } from "../contract/index.js";
import type { KernelName } from "../contract/index.js";
import { registerKernelTable } from "../registered-kernel.js";
import type { KernelTable } from "../registered-kernel.js";
import { WASM_KERNELS } from "../wasm/index.js";
import { ENGINE_FUNCTIONS, numericsProfile } from "./index.js";

describe("numericsProfile", () => {
  it.each(allBackends)("of %s is the same each time and leaves no tensor", async (name) => {
    await selectBackend(name);
    const before = memory();
    const profile = await numericsProfile(name);
    expect(memory()).toEqual(before);
    expect(profile.backend).toBe(name);
    expect(profile.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await numericsProfile(name)).toEqual(profile);
  });

  it("changes with the exponential that wasm takes for tiny probabilities", async () => {
    const profile = await numericsProfile("wasm");
    const { exp } = Math;
    const other = vi.spyOn(Math, "exp").mockImplementation((x) => exp(x) * (1 + 2 ** -20));
    const { digest } = await numericsProfile("wasm");
    expect(other).toHaveBeenCalled();
    other.mockRestore();
    expect(digest).not.toBe(profile.digest);
  });

  /** The number next to it, away from zero. */
  function nextTo(value: number): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    view.setBigUint64(0, view.getBigUint64(0) + 1n);
    return view.getFloat64(0);
  }

  // Of two good libraries some results differ in the last bit: here one in about a thousand.
  it.each(ENGINE_FUNCTIONS)(
    "changes with the last bit of a few results of Math.%s",
    async (name) => {
      const { digest } = await numericsProfile("wasm");
      const original = Math[name].bind(Math);
      let numCalls = 0;
      const other = vi.spyOn(Math, name).mockImplementation((x) => {
        const value = original(x);
        return numCalls++ % 1021 === 1020 ? nextTo(value) : value;
      });
      const changed = await numericsProfile("wasm");
      other.mockRestore();
      expect(numCalls).toBeGreaterThan(2000);
      expect(changed.digest).not.toBe(digest);
      expect((await numericsProfile("wasm")).digest).toBe(digest);
    },
  );

  it("tells wasm and cpu apart, and selects the backend that was selected before", async () => {
    await selectBackend("cpu");
    const wasm = await numericsProfile("wasm");
    expect(selectedBackend()).toBe("cpu");
    expect(wasm.version).toBe("tfjs-core 4.22.0, tfjs-backend-wasm 4.22.0, simd");
    const cpu = await numericsProfile("cpu");
    expect(cpu.version).toBe("tfjs-core 4.22.0, tfjs-backend-cpu 4.22.0");
    expect(cpu.digest).not.toBe(wasm.digest);
  });

  function useOnWasm(table: KernelTable): void {
    for (const name of Object.values(KERNEL_NAMES)) unregisterKernel(name, "wasm");
    registerKernelTable("wasm", table);
  }
  afterEach(() => useOnWasm(WASM_KERNELS));

  /** The wasm kernels, but one of which changes a bit of one of its results. */
  function withOtherBits(kernelName: KernelName, output: number): KernelTable {
    const run = WASM_KERNELS[kernelName] as (call: object) => Tensor[];
    const other = (call: object): Tensor[] => {
      const outputs = run(call);
      const values = outputs[output]!.dataSync<"float32">().slice();
      const bits = new Int32Array(values.buffer);
      const last = values.findLastIndex((value) => value !== 0);
      bits[last] = bits[last]! ^ 1;
      const changed = tensor(values, outputs[output]!.shape);
      return outputs.map((result, k) => (k === output ? changed : result));
    };
    return { ...WASM_KERNELS, [kernelName]: other };
  }

  it("changes with a bit of any result of any kernel", async () => {
    const { digest } = await numericsProfile("wasm");
    for (const [kernelName, run] of Object.entries(WASM_KERNELS) as [KernelName, unknown][]) {
      let numOutputs = 0;
      const counting = (call: object): Tensor[] => {
        const outputs = (run as (call: object) => Tensor[])(call);
        numOutputs = Math.max(numOutputs, outputs.length);
        return outputs;
      };
      useOnWasm({ ...WASM_KERNELS, [kernelName]: counting });
      expect((await numericsProfile("wasm")).digest).toBe(digest);
      expect(numOutputs, kernelName).toBeGreaterThan(0);
      for (let output = 0; output < numOutputs; output++) {
        useOnWasm(withOtherBits(kernelName, output));
        const changed = await numericsProfile("wasm");
        expect(changed.digest, `${kernelName}, result ${output}`).not.toBe(digest);
      }
    }
  });
});
