import type { Cell, RecurrentPass } from "./measured-case.js";

export interface NamedCase<Case> {
  readonly name: string;
  readonly measured: Case;
}

const CELLS: readonly Cell[] = ["lstm", "gru", "rnn"];

/** T, B, hidden size (the input has the same), layers. */
const SHAPES = [
  [35, 20, 200, 2],
  [35, 20, 650, 2],
  [50, 50, 128, 1],
  [100, 64, 512, 2],
] as const;

const QUICK_SHAPES = [[4, 3, 8, 2]] as const;

/** The recurrent layers alone, cell by cell. */
export function recurrentCases(isQuick: boolean): readonly NamedCase<RecurrentPass>[] {
  return CELLS.flatMap((cell) =>
    (isQuick ? QUICK_SHAPES : SHAPES).map(([numSteps, batchSize, hiddenSize, numLayers]) => ({
      name: `${cell} T${numSteps} B${batchSize} ${hiddenSize} ×${numLayers}`,
      measured: {
        kind: "recurrentPass" as const,
        ...{ cell, numSteps, batchSize, inputSize: hiddenSize, hiddenSize, numLayers },
      },
    })),
  );
}
