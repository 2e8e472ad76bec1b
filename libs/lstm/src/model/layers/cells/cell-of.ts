import type { RecurrentStackSpec } from "../../../spec/index.js";
import type { CellCall, CellRun } from "./cell.js";
import { gru } from "./gru.js";
import { lstm } from "./lstm.js";
import { lstmVariant } from "./lstm-variant.js";
import { rnn } from "./rnn.js";

/** The cell that a spec asks for; an LSTM without options has kernels of its own, which are faster. */
export function cellOf(spec: RecurrentStackSpec): (call: CellCall) => CellRun {
  switch (spec.cell) {
    case "gru":
      return gru;
    case "rnn":
      return rnn;
    case "lstm":
      return hasLstmOptions(spec) ? lstmVariant : lstm;
    default:
      return spec.cell satisfies never;
  }
}

function hasLstmOptions(spec: RecurrentStackSpec): boolean {
  const { peephole, coupledGates, layerNorm: isNormalized, projectionSize } = spec;
  const { zoneoutHidden, zoneoutCell } = spec;
  const isPlain = !peephole && !coupledGates && !isNormalized && projectionSize === null;
  return !isPlain || zoneoutHidden > 0 || zoneoutCell > 0;
}
