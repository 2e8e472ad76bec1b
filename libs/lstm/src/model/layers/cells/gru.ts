import { slice } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { gruSequenceBackward, gruSequenceForward } from "@ostinato/kernels/tensor";

import { columnSums, positionsOf } from "../../pass/index.js";
import type { CellCall, CellRun } from "./cell.js";
import { gruDirect, gruProducts } from "./hidden-paths.js";
import { biasGradients, kernelGradients } from "./recurrent-gradients.js";
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
        addsToGates: false,
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
        recurrent(of, hidden) {
          const biases = biasGradients(of, `${prefix}.bias`, gateGradients);
          if (resetAfter) {
            return { kernels: kernelGradients(of, hidden, recurrentGradients), biases };
          }
          // What the candidate's columns multiply is r∘h, not h.
          const [numSteps, numRows] = recurrentGradients.shape;
          const columns = (first: number, count: number): Tensor3D =>
            slice(recurrentGradients, [0, 0, first], [numSteps, numRows, count]);
          const ofGates = kernelGradients(of, hidden, columns(0, 2 * hiddenSize));
          const ofCandidate = kernelGradients(
            of,
            sequence.candidates,
            columns(2 * hiddenSize, hiddenSize),
          );
          const kernels = ofGates.map((values, n) =>
            sideBySide(values, ofCandidate[n]!, hiddenSize),
          );
          return { kernels, biases };
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

/** [H,2H] and [H,H] → [H,3H] */
function sideBySide(left: Float32Array, right: Float32Array, hiddenSize: number): Float32Array {
  const values = new Float32Array(left.length + right.length);
  for (let row = 0; row < hiddenSize; row++) {
    const from = 2 * row * hiddenSize;
    values.set(left.subarray(from, from + 2 * hiddenSize), 3 * row * hiddenSize);
    const own = right.subarray(row * hiddenSize, (row + 1) * hiddenSize);
    values.set(own, (3 * row + 2) * hiddenSize);
  }
  return values;
}
