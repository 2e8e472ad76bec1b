import type { RowState, StackRow } from "../recurrent-stacks.js";
import type { CellState } from "./cells.js";
import type { StackResult, StackStates } from "./stack.js";
import type { Sequence } from "./tensors.js";

/** What rows read, in float64: inputs and initial states, row by row. */
export class RowValues {
  readonly flat: Float64Array;
  readonly #rows: readonly StackRow[];

  constructor(rows: readonly StackRow[]) {
    this.#rows = rows;
    this.flat = Float64Array.from(rows.flatMap((row) => valuesOf(row.inputs, row.initial)));
  }

  /** As the flat values are now. */
  read(): { readonly inputs: Sequence; readonly initial: StackStates } {
    let offset = 0;
    const take = ({ length }: Float32Array): number[] => {
      offset += length;
      return Array.from(this.flat.subarray(offset - length, offset));
    };
    const rows = this.#rows.map(({ inputs, initial }) => ({
      inputs: inputs.map(take),
      initial: initial.map((layer) => layer.map(({ h, c }) => ({ h: take(h), c: take(c) }))),
    }));
    const initial = this.#rows[0]!.initial.map((layer, l) =>
      layer.map((_, direction) => rows.map((row): CellState => row.initial[l]![direction]!)),
    );
    return { inputs: rows.map((row) => row.inputs), initial };
  }
}

/** Steps, then the states by layer and direction, h before c. */
export function valuesOf(
  steps: readonly Float32Array[],
  states: readonly (readonly RowState[])[],
): number[] {
  const ofStates = states.flat().flatMap(({ h, c }) => [...h, ...c]);
  return [...steps.flatMap((x) => [...x]), ...ofStates];
}

/** A row's outputs and final states, in the order of {@link valuesOf}. */
export function resultsOf({ outputs, final }: StackResult, row: number): number[] {
  const ofStates = final.flat().flatMap((rows) => [...rows[row]!.h, ...rows[row]!.c]);
  return [...outputs[row]!.flat(), ...ofStates];
}
