import { concat, slice } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { gruSequenceBackward, gruSequenceForward, linearGradient } from "@ostinato/kernels/tensor";

import { columnSums, positionsOf } from "../../pass/index.js";
import type { CellCall, CellRun } from "./cell.js";
import { gruDirect, gruProducts } from "./hidden-paths.js";
import { hiddenZoneout } from "./rnn.js";

/** GRU (Cho et al., 2014), the reset gate before or after the recurrent product, with zoneout. */
export function gru(call: CellCall): CellRun {
  const { pass, spec, prefix, gates, recurrentKernel, recurrentKernelTransposed, initial } = call;
  const { resetAfter, hiddenSize } = spec;
  const onTimeSteps = pass.progress.report;
  const biasName = `${prefix}.candidateBias`;
  const keep = hiddenZoneout(call);
  const sequence = gruSequenceForward({
    inputGates: gates,
    recurrentKernel,
    candidateBias: resetAfter ? pass.parameters.vector(biasName) : undefined,
    resetAfter,
    initialHidden: initial.hidden,
    keep,
    onTimeSteps,
  });
  return {
    activations: { names: ["reset", "update", "candidate"], values: sequence.gates },
    hidden: sequence.hidden,
    backward(hiddenGradient) {
      const { gateGradients, recurrentGradients, initialHiddenGradient } = gruSequenceBackward({
        hiddenGradient,
        gates: sequence.gates,
        candidates: sequence.candidates,
        hidden: sequence.hidden,
        recurrentKernelTransposed,
        resetAfter,
        keep,
        onTimeSteps,
      });
      const candidateColumns = (rows: Tensor2D): Tensor2D =>
        slice(rows, [0, 2 * hiddenSize], [rows.shape[0], hiddenSize]);
      return {
        gates: gateGradients,
        initial: { hidden: initialHiddenGradient },
        hiddenPaths: () => ({
          products: gruProducts(
            spec,
            sequence.gates,
            recurrentGradients,
            recurrentKernelTransposed,
          ),
          direct: gruDirect(sequence.gates, keep),
        }),
        recurrent(leaf, before) {
          const products = positionsOf(recurrentGradients, leaf);
          const bias = columnSums(positionsOf(gateGradients, leaf));
          if (resetAfter) return { kernel: linearGradient(before, products).kernelGradient, bias };
          // What the candidate's columns multiply is r∘h, not h.
          const resetColumns: Tensor2D = slice(
            products,
            [0, 0],
            [products.shape[0], 2 * hiddenSize],
          );
          const kernel: Tensor2D = concat(
            [
              linearGradient(before, resetColumns).kernelGradient,
              linearGradient(positionsOf(sequence.candidates, leaf), candidateColumns(products))
                .kernelGradient,
            ],
            1,
          );
          return { kernel, bias };
        },
        further: resetAfter
          ? [
              {
                name: biasName,
                gradientOf: (leaf) =>
                  columnSums(candidateColumns(positionsOf(recurrentGradients, leaf))),
              },
            ]
          : [],
      };
    },
  };
}
