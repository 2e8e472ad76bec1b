import { LstmError } from "../lstm-error.js";
import { compileModelSpec } from "./compile-model-spec.js";
import type { SequenceModelSpec } from "./sequence-model-spec.js";

/** What a person sets of a sequence model. */
export type SequenceModelKeys = Omit<SequenceModelSpec, "input" | "numTargets"> & {
  readonly embeddingSize: number | null;
};

/** What the data says of one. */
export interface SequenceDataSizes {
  /** Values of a step, or how many tokens there are. */
  readonly inputs: { readonly kind: "values" | "tokens"; readonly size: number };
  /** Values of a target, classes, or labels with the blank. */
  readonly numTargets: number;
}

/**
 * The spec that keys and data amount to.
 *
 * @throws {LstmError} `invalidSpec`, naming the key, its value and what is allowed
 */
export function sequenceModelOfData(
  { embeddingSize, ...keys }: SequenceModelKeys,
  { inputs, numTargets }: SequenceDataSizes,
): SequenceModelSpec {
  if (inputs.kind === "values") {
    if (embeddingSize !== null) {
      throw new LstmError(
        "invalidSpec",
        `model.embeddingSize is ${embeddingSize}; it must be null, as the inputs are values, not tokens`,
      );
    }
    const input = { kind: "values", size: inputs.size };
    return compileModelSpec({ ...keys, input, numTargets });
  }
  const ofTokens = { kind: "tokens", vocabularySize: inputs.size };
  const input = embeddingSize === null ? ofTokens : { ...ofTokens, embeddingSize };
  return compileModelSpec({ ...keys, input, numTargets });
}
