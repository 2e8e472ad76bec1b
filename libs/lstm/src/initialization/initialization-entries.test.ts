import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { compileKeys } from "../keys/index.js";
import { parameterLayout, tensorView } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import { fillUniform } from "../random/index.js";
import type { RandomKey } from "../random/index.js";
import { compileModelSpec } from "../spec/index.js";
import { checkInitialization, initialParameters, initializationSchema } from "./index.js";
import type { InitializationSpec } from "./index.js";

const [V, E, H] = [60, 24, 16];
const spec = compileModelSpec({
  kind: "languageModel",
  vocabularySize: V,
  embeddingSize: E,
  cell: "lstm",
  hiddenSize: H,
  numLayers: 2,
  dropout: 0,
  forgetBias: 1,
});
const layout = parameterLayout(spec);
const schema = z.strictObject({ initialization: initializationSchema }).readonly();

const compiled = (initialization: unknown): InitializationSpec =>
  compileKeys(schema, { initialization }, { code: "invalidSpec", group: "model" }).initialization;

const parameters = (...entries: readonly object[]): Float32Array =>
  initialParameters({ ...spec, initialization: compiled(entries) }, 3);

const tensor = (flat: Float32Array, name: string): Float32Array => tensorView(flat, layout, name);

/** Rows `first` to `first + numRows` and the columns of a gate, of a kernel. */
function block(kernel: Float32Array, first: number, numRows: number, gate: number): number[] {
  const row = (r: number): number[] => [
    ...kernel.subarray((r * 4 + gate) * H, (r * 4 + gate + 1) * H),
  ];
  return Array.from({ length: numRows }, (_, r) => row(first + r)).flat();
}

const names = layout.tensors.map(({ name }) => name);

describe("checkInitialization", () => {
  it("refuses what cannot be made, and nothing else", () => {
    const check = (...entries: readonly object[]) => {
      checkInitialization({ ...spec, initialization: compiled(entries) });
    };
    check({ match: "layers.*.kernel", kind: "orthogonal" }, { match: "*.bias", kind: "zeros" });
    expect(() =>
      check({ match: "*.bias", kind: "zeros" }, { match: "*.weight", kind: "zeros" }),
    ).toThrow('model.initialization[1].match is "*.weight"; it must match a tensor: ');
  });
});

describe("without entries", () => {
  // The first runs' parameters: these formulas are for ever.
  it("parameters have the bits that they always had", () => {
    const flat = new Float32Array(layout.size);
    const fill = (name: string, purpose: RandomKey["purpose"], layer: number, bound: number) => {
      const view = tensor(flat, name);
      fillUniform({ seed: 3, step: 0, purpose, layer }, view);
      for (let i = 0; i < view.length; i++) view[i] = (2 * view[i]! - 1) * bound;
    };
    fill("embedding.table", "embeddingInitialization", 0, Math.sqrt(3));
    for (const layer of [0, 1]) {
      fill(`layers.${layer}.kernel`, "kernelInitialization", layer, 1 / Math.sqrt(H));
      tensor(flat, `layers.${layer}.bias`).fill(1, H, 2 * H);
    }
    fill("head.kernel", "headInitialization", 0, 1 / Math.sqrt(H));
    expect(parameters()).toEqual(flat);
  });
});

describe("an entry", () => {
  it("changes what it matches and nothing else", () => {
    fc.assert(
      fc.property(fc.subarray(names, { minLength: 1 }), (chosen) => {
        const match = chosen.length === 1 ? chosen[0] : `{${chosen.join(",")}}`;
        const flat = parameters({ match, kind: "constant", value: 7 });
        for (const name of names) {
          const expected = chosen.includes(name)
            ? new Float32Array(tensor(flat, name).length).fill(7)
            : tensor(parameters(), name);
          expect(tensor(flat, name), name).toEqual(expected);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("counts before those that come after it", () => {
    const flat = parameters(
      { match: "layers.1.kernel", part: "recurrent", kind: "constant", value: 1 },
      { match: "layers.*.kernel", kind: "constant", value: 2 },
      { match: "*.kernel", kind: "constant", value: 3 },
    );
    expect(new Set(tensor(flat, "layers.0.kernel"))).toEqual(new Set([2]));
    const second = tensor(flat, "layers.1.kernel");
    expect(new Set(second.subarray(0, H * 4 * H))).toEqual(new Set([2]));
    expect(new Set(second.subarray(H * 4 * H))).toEqual(new Set([1]));
    expect(new Set(tensor(flat, "head.kernel"))).toEqual(new Set([3]));
  });

  it("for the recurrent rows makes one orthogonal matrix a gate, and leaves the input's rows", () => {
    const flat = parameters({ match: "layers.*.kernel", part: "recurrent", kind: "orthogonal" });
    const kernel = tensor(flat, "layers.0.kernel");
    expect(kernel.subarray(0, E * 4 * H)).toEqual(
      tensor(parameters(), "layers.0.kernel").subarray(0, E * 4 * H),
    );
    const gates = [0, 1, 2, 3].map((gate) => block(kernel, E, H, gate));
    for (const matrix of gates) {
      for (let a = 0; a < H; a++) {
        for (let b = 0; b < H; b++) {
          let product = 0;
          for (let i = 0; i < H; i++) product += matrix[i * H + a]! * matrix[i * H + b]!;
          expect(product).toBeCloseTo(a === b ? 1 : 0, 6);
        }
      }
    }
    expect(new Set(gates.map((matrix) => matrix.join())).size).toBe(4);
    expect(block(tensor(flat, "layers.1.kernel"), H, H, 0)).not.toEqual(gates[0]);
  });

  it("for a whole kernel starts both parts by themselves, each with its own fans", () => {
    const flat = parameters({ match: "layers.0.kernel", kind: "glorotUniform" });
    const kernel = tensor(flat, "layers.0.kernel");
    for (const [first, numRows] of [
      [0, E],
      [E, H],
    ] as const) {
      const values = [0, 1, 2, 3].flatMap((gate) => block(kernel, first, numRows, gate));
      const range = Math.sqrt(6 / (numRows + H));
      const largest = Math.max(...values.map(Math.abs));
      // Of n values within ±b, the largest is below 0.97·b with a chance of 0.97ⁿ: under 1e-13.
      expect(largest).toBeLessThanOrEqual(Math.fround(range));
      expect(largest).toBeGreaterThan(0.97 * range);
    }
  });

  it("makes the identity of every gate", () => {
    const flat = parameters({
      match: "layers.0.kernel",
      part: "recurrent",
      kind: "identity",
      scale: 0.5,
    });
    const expected = Array.from({ length: H * H }, (_, i) => (i % (H + 1) === 0 ? 0.5 : 0));
    for (const gate of [0, 1, 2, 3]) {
      expect(block(tensor(flat, "layers.0.kernel"), E, H, gate)).toEqual(expected);
    }
  });

  it("gives the layers' biases their own times", () => {
    const flat = parameters({ match: "layers.*.bias", kind: "chrono", maxTime: 50 });
    const [first, second] = ["layers.0.bias", "layers.1.bias"].map((name) => tensor(flat, name));
    expect(first).not.toEqual(second);
    expect(Math.min(...first!.subarray(H, 2 * H))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...first!.subarray(H, 2 * H))).toBeLessThanOrEqual(Math.log(49));
  });

  it("starts a tensor the same whatever other layers there are", () => {
    const entries = compiled([{ match: "head.kernel", kind: "normal", std: 1 }]);
    const deeper = { ...spec, numLayers: 3 };
    const other = initialParameters({ ...deeper, initialization: entries }, 3);
    expect(tensorView(other, parameterLayout(deeper), "head.kernel")).toEqual(
      tensor(initialParameters({ ...spec, initialization: entries }, 3), "head.kernel"),
    );
  });

  it("of any kind is a function of the seed", () => {
    const entries = compiled([{ match: "*.kernel", kind: "orthogonal" }]);
    expect(initialParameters({ ...spec, initialization: entries }, 3)).toEqual(
      initialParameters({ ...spec, initialization: entries }, 3),
    );
    expect(
      tensor(initialParameters({ ...spec, initialization: entries }, 4), "head.kernel"),
    ).not.toEqual(
      tensor(initialParameters({ ...spec, initialization: entries }, 3), "head.kernel"),
    );
  });
});

describe("an entry that can't do what it is for", () => {
  it.each([
    [
      { match: "layer.*", kind: "zeros" },
      `model.initialization[0].match is "layer.*"; it must match a tensor: ${names.join(", ")}`,
    ],
    [
      { match: "head.*", part: "recurrent", kind: "zeros" },
      'model.initialization[0].part is "recurrent"; only kernels of recurrent layers have parts, and ' +
        "match finds head.kernel, head.bias",
    ],
    [
      { match: "layers.*.kernel", kind: "chrono", maxTime: 9 },
      'model.initialization[0].kind is "chrono"; it takes the bias of a layer with gates that keep a ' +
        "state, which layers.0.kernel [40, 64] is not",
    ],
    [
      { match: "head.*", kind: "orthogonal" },
      'model.initialization[0].kind is "orthogonal"; it takes a matrix of inputs by outputs, which ' +
        "head.bias [60] is not",
    ],
    [
      { match: "*", kind: "chrono", maxTime: 1 },
      "model.initialization[0].maxTime is 1; it must be a whole number from 2 to 4294967295",
    ],
    [
      { match: "*", kind: "normal", std: 0 },
      "model.initialization[0].std is 0; it must be a number above 0 and up to 3.4e38",
    ],
    [
      { match: "*", kind: "uniform", range: 1, part: "hidden" },
      "model.initialization[0].part is \"hidden\"; it must be 'input', 'recurrent' or 'all'",
    ],
    [
      { match: "*", kind: "zeros", gain: 1 },
      "model.initialization[0].gain is not a key of model.initialization[0] (match, part, kind)",
    ],
  ])("is refused: %j", (entry, message) => {
    expect(() => parameters(entry)).toThrow(new LstmError("invalidSpec", message));
  });

  it("names the kinds there are", () => {
    expect(() => parameters({ match: "*", kind: "xavier" })).toThrow(
      "model.initialization[0].kind is \"xavier\"; it must be 'uniform', 'normal', 'truncatedNormal', ",
    );
  });
});
