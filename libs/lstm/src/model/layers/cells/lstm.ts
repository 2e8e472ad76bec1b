import { lstmSequenceBackward, lstmSequenceForward } from "@ostinato/kernels/tensor";

import type { CellCall, CellRun } from "./cell.js";
import { throughProducts } from "./hidden-paths.js";
import { recurrentGradients } from "./recurrent-gradients.js";

/** LSTM without options (Hochreiter and Schmidhuber, 1997; Gers et al., 2000). */
export function lstm(call: CellCall): CellRun {
  const { pass, gates, recurrentKernel, recurrentKernelTransposed, initial } = call;
  const onTimeSteps = pass.progress.report;
  const sequence = lstmSequenceForward({
    inputGates: gates,
    recurrentKernel,
    initialHidden: initial.hidden,
    initialCell: initial.cell!,
    onTimeSteps,
  });
  return {
    activations: { names: ["input", "forget", "cell", "output"], values: sequence.gates },
    hidden: sequence.hidden,
    cell: sequence.cell,
    backward(hiddenGradient, cellGradient) {
      const gradients = lstmSequenceBackward({
        hiddenGradient,
        cellGradient,
        gates: sequence.gates,
        cell: sequence.cell,
        cellActivations: sequence.cellActivations,
        recurrentKernelTransposed,
        onTimeSteps,
      });
      return {
        gates: gradients.gateGradients,
        addsToGates: true,
        initial: { hidden: gradients.initialHiddenGradient, cell: gradients.initialCellGradient },
        hiddenPaths: () => ({
          products: throughProducts(gradients.gateGradients, recurrentKernelTransposed),
          direct: undefined,
        }),
        recurrent: (of, hidden) =>
          recurrentGradients(of, { rows: hidden, gradient: gradients.gateGradients }),
        further: [],
      };
    },
  };
}
