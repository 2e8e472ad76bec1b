/** A backend that does not start. It has a file of its own: once started, wasm stays started. */
import { engine, memory, tensor1d } from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { selectBackend, selectedBackend } from "./backends.js";
import { numericsProfile } from "./profile/index.js";

/** A global of Node that its type declarations do not name. */
declare const WebAssembly: { instantiate(...values: unknown[]): Promise<unknown> };

const unavailable = expect.objectContaining({
  name: "KernelError",
  code: "backendUnavailable",
  message: expect.stringMatching(/^numerics backend 'wasm' is unavailable: [^\n]+$/),
});

describe("a wasm backend that the machine refuses to compile", () => {
  beforeEach(() => {
    // tfjs and Emscripten each print the failure.
    vi.spyOn(console, "warn").mockReturnValue();
    vi.spyOn(console, "error").mockReturnValue();
    vi.spyOn(WebAssembly, "instantiate").mockRejectedValue(new Error("out of executable memory"));
  });
  afterEach(() => vi.restoreAllMocks());

  it("is refused each time it is asked for, and never counts as selected", async () => {
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(selectBackend("wasm")).rejects.toEqual(unavailable);
      expect(selectedBackend()).toBeUndefined();
    }
    await expect(numericsProfile("wasm")).rejects.toEqual(unavailable);
  });

  it("leaves the numerics profile of another backend alone", async () => {
    await expect(selectBackend("wasm")).rejects.toEqual(unavailable);
    expect(await numericsProfile("cpu")).toMatchObject({ backend: "cpu" });
  });

  it("leaves the backend before it selected, and its tensors readable", async () => {
    await selectBackend("cpu");
    const before = memory();
    const tensor = tensor1d([1, 2]);
    await expect(selectBackend("wasm")).rejects.toEqual(unavailable);
    await expect(numericsProfile("wasm")).rejects.toEqual(unavailable);
    expect(selectedBackend()).toBe("cpu");
    expect(engine().backendName).toBe("cpu");
    expect([...tensor.dataSync()]).toEqual([1, 2]);
    tensor.dispose();
    expect(memory()).toEqual(before);
  });

  it("is there once it starts", async () => {
    vi.restoreAllMocks();
    await selectBackend("wasm");
    expect(selectedBackend()).toBe("wasm");
    expect(engine().backendName).toBe("wasm");
  });
});
