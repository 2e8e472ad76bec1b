/** Against PyTorch, by the fixture of libs/lstm/tools/make-encoder-decoder-fixtures.py. */
import { readFileSync } from "node:fs";

import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { compileModelSpec } from "../src/index.js";
import type { EncoderDecoderSpec } from "../src/index.js";
import { createEncoderDecoder } from "../src/model/index.js";
import { backends, flatten, relativeError } from "./language-models.js";
import { pairBatchOf } from "./support/encoder-decoders.js";

type Tensors = Readonly<Record<string, readonly number[]>>;

interface Case {
  readonly spec: { readonly kind: "encoderDecoder" } & Omit<EncoderDecoderSpec, "kind">;
  readonly parameters: Tensors;
  readonly sources: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  /** Of each row. */
  readonly losses: readonly number[];
  /** Of their sum. */
  readonly gradients: Tensors;
}

const path = new URL("../fixtures/encoder-decoders.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { readonly cases: readonly Case[] };
const named = cases.map((fixture) => {
  const { cell, attention, bidirectionalEncoder } = fixture.spec;
  const directions = bidirectionalEncoder ? "two directions" : "one direction";
  return { name: `${cell}, attention ${attention}, ${directions}`, fixture };
});

describe.each(backends)("an encoder–decoder on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(named)("has PyTorch's losses and gradients: $name", ({ fixture }) => {
    const model = createEncoderDecoder(compileModelSpec(fixture.spec));
    model.setParameters(flatten(model.layout, fixture.parameters));
    const pairs = fixture.sources.map((source, row) => ({
      source,
      target: fixture.targets[row]!,
    }));
    const gradients = new Map<string, readonly Float32Array[]>();
    const [together] = model.computeGradients({
      batch: pairBatchOf([pairs]),
      seed: 0,
      step: 0,
      onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
    });
    const rows = model.computeGradients({
      batch: pairBatchOf(pairs.map((pair) => [pair])),
      seed: 0,
      step: 0,
      onGradient: () => undefined,
    });
    model.dispose();
    expect([...gradients.keys()].sort()).toEqual(Object.keys(fixture.gradients).sort());
    expect(
      relativeError(
        rows.map(({ lossSum }) => lossSum),
        fixture.losses,
      ),
    ).toBeLessThan(1e-5);
    const lossSum = fixture.losses.reduce((sum, loss) => sum + loss, 0);
    expect(relativeError([together!.lossSum], [lossSum])).toBeLessThan(1e-5);
    for (const [tensor, expected] of Object.entries(fixture.gradients)) {
      const [actual] = gradients.get(tensor)!;
      expect(relativeError(actual!, expected), tensor).toBeLessThan(1e-4);
    }
  });
});
