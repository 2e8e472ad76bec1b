/** Recurrent stacks of any valid combination of keys, for the property tests of every model. */
import fc from "fast-check";

import type { RecurrentStackSpec } from "../../src/index.js";

/** 0 as often as not. */
export const anyRate = fc.constantFrom(0, 0, 0.3, 0.5);
const weight = fc.constantFrom(0, 0, 0.5, 2);

/** How parameters start has no part in what is computed from them. */
export type StackKeys = Omit<RecurrentStackSpec, "initialization">;

/** The size of what a layer puts out in one direction. */
export const outputSizeOf = ({ projectionSize, hiddenSize }: StackKeys): number =>
  projectionSize ?? hiddenSize;

/**
 * @param sizes of the layers and the projection.
 * @param numLayers how many there are at most.
 */
export const anyStack = (sizes: fc.Arbitrary<number>, numLayers = 3): fc.Arbitrary<StackKeys> =>
  fc
    .record({
      cell: fc.constantFrom("lstm", "gru", "rnn"),
      hiddenSize: sizes,
      numLayers: fc.integer({ min: 1, max: numLayers }),
      residual: fc.boolean(),
      normalization: fc.constantFrom("none", "batch", "layer"),
      forgetBias: fc.constantFrom(-1, 0, 1),
      peephole: fc.boolean(),
      coupledGates: fc.boolean(),
      layerNorm: fc.boolean(),
      projectionSize: fc.option(sizes),
      resetAfter: fc.boolean(),
      activation: fc.constantFrom("tanh", "relu"),
      dropout: anyRate,
      inputDropout: anyRate,
      outputDropout: anyRate,
      variationalDropout: fc.boolean(),
      weightDropout: anyRate,
      embeddingDropout: anyRate,
      zoneoutHidden: anyRate,
      zoneoutCell: anyRate,
      activationPenalty: weight,
      temporalActivationPenalty: weight,
    })
    .map((raw): StackKeys => {
      const isLstm = raw.cell === "lstm";
      const { projectionSize, hiddenSize } = raw;
      const isProjected = isLstm && projectionSize !== null && projectionSize < hiddenSize;
      return {
        ...raw,
        forgetBias: isLstm ? raw.forgetBias : 1,
        peephole: isLstm && raw.peephole,
        coupledGates: isLstm && raw.coupledGates,
        layerNorm: isLstm && raw.layerNorm,
        projectionSize: isProjected ? projectionSize : null,
        zoneoutCell: isLstm ? raw.zoneoutCell : 0,
        resetAfter: raw.cell !== "gru" || raw.resetAfter,
        activation: raw.cell === "rnn" ? raw.activation : "tanh",
      };
    });
