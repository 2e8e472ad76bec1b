import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { matchingTensors, requireMatchingTensors } from "./tensor-pattern.js";

const layout = {
  size: 5,
  tensors: [
    "embedding.table",
    "layers.0.kernel",
    "layers.0.bias",
    "layers.10.kernel",
    "head.bias",
  ].map((name, offset) => ({ name, shape: [1], offset, size: 1 })),
};
const namesOf = (pattern: string): string[] =>
  matchingTensors(layout, pattern).map(({ name }) => name);

describe("matchingTensors", () => {
  it.each([
    ["layers.*.kernel", ["layers.0.kernel", "layers.10.kernel"]],
    ["*.bias", ["layers.0.bias", "head.bias"]],
    ["{embedding,head}.*", ["embedding.table", "head.bias"]],
    ["layers.0.*", ["layers.0.kernel", "layers.0.bias"]],
    ["!*.bias", ["embedding.table", "layers.0.kernel", "layers.10.kernel"]],
    ["head.bias", ["head.bias"]],
    ["kernel", []],
  ])("finds what %s stands for", (pattern, names) => {
    expect(namesOf(pattern)).toEqual(names);
  });
});

describe("requireMatchingTensors", () => {
  it("names the key, the pattern and the tensors there are", () => {
    const options = { key: "optimizer.groups[0].match", code: "invalidOptimizer" } as const;
    expect(() => requireMatchingTensors(layout, "layer.*", options)).toThrow(
      new LstmError(
        "invalidOptimizer",
        'optimizer.groups[0].match is "layer.*"; it must match a tensor: embedding.table, ' +
          "layers.0.kernel, layers.0.bias, layers.10.kernel, head.bias",
      ),
    );
  });
});
