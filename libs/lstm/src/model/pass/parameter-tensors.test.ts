import { add, engine } from "@tensorflow/tfjs-core";
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { LstmError } from "../../lstm-error.js";
import { ParameterTensors } from "./parameter-tensors.js";

const LAYOUT = {
  tensors: [
    { name: "bias", shape: [2], offset: 0, size: 2 },
    { name: "kernel", shape: [2, 2], offset: 2, size: 4 },
  ],
  size: 6,
};

const values = (): Float32Array => Float32Array.of(1, 2, 3, 4, 5, 6);

beforeAll(async () => {
  // Its tensors are arrays in this process's memory.
  await selectBackend("cpu");
});

describe("ParameterTensors", () => {
  it.each([true, false])("has the values that it was given; in place: %s", (inPlace) => {
    const flat = values();
    const parameters = new ParameterTensors(LAYOUT, flat, { inPlace });
    flat[5] = 9;
    expect([...parameters.vector("bias").dataSync()]).toEqual([1, 2]);
    expect([...parameters.matrix("kernel").dataSync()]).toEqual([3, 4, 5, inPlace ? 9 : 6]);
    parameters.dispose();
  });

  it.each([true, false])("leaves no tensor behind; in place: %s", (inPlace) => {
    const { numTensors } = engine().memory();
    const parameters = new ParameterTensors(LAYOUT, values(), { inPlace });
    parameters.derived("sum", () => add(parameters.matrix("kernel"), parameters.vector("bias")));
    expect(engine().memory().numTensors).toBe(numTensors + 3);
    parameters.dispose();
    expect(engine().memory().numTensors).toBe(numTensors);
  });

  it("refuses a buffer of another length", () => {
    expect(() => new ParameterTensors(LAYOUT, new Float32Array(5))).toThrow(
      new LstmError("invalidParameters", "parameters have 5 values, the model has 6"),
    );
  });
});
