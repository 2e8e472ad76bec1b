import { rnnSequenceBackward, rnnSequenceForward } from "@ostinato/kernels/tensor";

import { zoneoutMask } from "../regularization/index.js";
import type { CellCall, CellRun } from "./cell.js";
import { throughProducts } from "./hidden-paths.js";
import { recurrentGradients } from "./recurrent-gradients.js";

/** h_t = tanh or relu of the sum (Elman, 1990; Le et al., 2015), with zoneout. */
export function rnn(call: CellCall): CellRun {
  const { pass, spec, gates, recurrentKernel, recurrentKernelTransposed, initial, padding } = call;
  const { activation } = spec;
  const onTimeSteps = pass.progress.report;
  const keep = hiddenZoneout(call);
  const sequence = rnnSequenceForward({
    inputGates: gates,
    recurrentKernel,
    activation,
    initialHidden: initial.hidden,
    keep,
    onTimeSteps,
  });
  // In the padding a relu's state may grow until it is no number, which a slope of it would pass back.
  const activations =
    padding === undefined ? sequence.activations : padding.mask(sequence.activations);
  return {
    activations: { names: ["hidden"], values: sequence.activations },
    hidden: sequence.hidden,
    backward(hiddenGradient) {
      const { gateGradients, initialHiddenGradient } = rnnSequenceBackward({
        hiddenGradient,
        activations,
        recurrentKernelTransposed,
        activation,
        keep,
        onTimeSteps,
      });
      return {
        gates: gateGradients,
        addsToGates: true,
        initial: { hidden: initialHiddenGradient },
        hiddenPaths: () => ({
          products: throughProducts(gateGradients, recurrentKernelTransposed),
          direct: keep,
        }),
        recurrent: (of, hidden) =>
          recurrentGradients(of, { rows: hidden, gradient: gateGradients }),
        further: [],
      };
    },
  };
}

/** [T,B,R]: what stays of each hidden value; undefined without zoneout. */
export function hiddenZoneout({
  pass,
  spec,
  maskLayer,
  gates,
  initial,
}: CellCall): ReturnType<typeof zoneoutMask> | undefined {
  const { zoneoutHidden } = spec;
  if (zoneoutHidden === 0) return undefined;
  const [numSteps, numRows] = gates.shape;
  const shape = [numSteps, numRows, initial.hidden.shape[1]] as const;
  return zoneoutMask(pass, { purpose: "zoneout", layer: 2 * maskLayer }, shape, zoneoutHidden);
}
