import { compileLanguageModelSpec, parameterLayout, statisticsLayout } from "@ostinato/lstm";
import { expect, it } from "vitest";

import { decodeTensors, encodeTensors } from "./content.js";
import type { CheckpointTensors, TensorFile } from "./content.js";

const model = compileLanguageModelSpec({
  ...{ kind: "languageModel", vocabularySize: 3, embeddingSize: 2, hiddenSize: 2 },
});
const layout = parameterLayout(model);
const tensors: CheckpointTensors = {
  ...{ step: 1, model, layout, parameters: new Float32Array(layout.size) },
  ...{ optimizer: { stepCount: 1, slots: {} }, statistics: new Float64Array(0) },
  states: new Map(),
};

function stateOf(leaf: number): ReadonlyMap<number, Float32Array> {
  const files = encodeTensors({ ...tensors, states: new Map([[leaf, Float32Array.of(1)]]) });
  const byName = Object.fromEntries(files.map(({ name, bytes }) => [name, bytes]));
  const layouts = { layout, statistics: statisticsLayout(model) };
  return decodeTensors(byName as Record<TensorFile, Uint8Array>, layouts, {
    ...{ stepCount: 1, slots: [] },
  }).states;
}

it.each([0, 1, 1023])("gives the carried state of leaf %d back", (leaf) => {
  expect(stateOf(leaf)).toEqual(new Map([[leaf, Float32Array.of(1)]]));
});

it.each([-1, 0.5, NaN, 2 ** 60, 1e21])(
  "refuses the carried state of leaf %d, which is none",
  (leaf) => {
    expect(() => stateOf(leaf)).toThrow(
      expect.objectContaining({
        code: "tensorsCorrupt",
        message: `leaf.${leaf} is the carried state of no leaf`,
      }),
    );
  },
);
