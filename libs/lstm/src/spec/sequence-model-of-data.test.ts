import { describe, expect, it } from "vitest";

import { compileKeys } from "../keys/index.js";
import { z } from "zod";
import { compileModelSpec } from "./compile-model-spec.js";
import { sequenceModelOfData } from "./sequence-model-of-data.js";
import { SEQUENCE_MODEL_KEYS } from "./sequence-model-spec.js";

const keysOf = (raw: object) =>
  compileKeys(
    z.strictObject(SEQUENCE_MODEL_KEYS),
    { kind: "sequenceModel", ...raw },
    { code: "invalidSpec", group: "model" },
  );

describe("the spec of keys and data", () => {
  it("has the sizes of the data, and all else from the keys", () => {
    const keys = keysOf({ hiddenSize: 7, loss: { kind: "ctc" } });
    const inputs = { kind: "values", size: 3 } as const;
    expect(sequenceModelOfData(keys, { inputs, numTargets: 5 })).toEqual(
      compileModelSpec({
        ...{ kind: "sequenceModel", hiddenSize: 7, loss: { kind: "ctc" } },
        ...{ input: inputs, numTargets: 5 },
      }),
    );
  });

  it("embeds tokens in the size that is given, or the default one", () => {
    const data = { inputs: { kind: "tokens", size: 9 }, numTargets: 1 } as const;
    const embedded = (raw: object) => sequenceModelOfData(keysOf(raw), data).input;
    expect(embedded({})).toEqual({ kind: "tokens", vocabularySize: 9, embeddingSize: 64 });
    expect(embedded({ embeddingSize: 4 })).toEqual({
      ...{ kind: "tokens", vocabularySize: 9, embeddingSize: 4 },
    });
  });

  it("drops embeddings of tokens, and is refused where there are none", () => {
    const keys = keysOf({ embeddingDropout: 0.2 });
    const dataOf = (kind: "tokens" | "values") =>
      ({ inputs: { kind, size: 9 }, numTargets: 1 }) as const;
    expect(sequenceModelOfData(keys, dataOf("tokens")).embeddingDropout).toBe(0.2);
    expect(() => sequenceModelOfData(keys, dataOf("values"))).toThrow(
      "model.embeddingDropout is 0.2; it must be 0 for inputs that are values, not tokens",
    );
  });

  it("is refused where values would be embedded", () => {
    const data = { inputs: { kind: "values", size: 9 }, numTargets: 1 } as const;
    expect(() => sequenceModelOfData(keysOf({ embeddingSize: 4 }), data)).toThrow(
      "model.embeddingSize is 4; it must be null, as the inputs are values, not tokens",
    );
  });
});
