import { concat, slice } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import type { LayerState } from "../layers/index.js";
import type { StackStates } from "./token-side.js";

/** What the decoder starts from: of each layer the encoder's final states, its directions side by side. */
export function handedStates(final: StackStates): StackStates {
  return final.map((directions) => {
    if (directions.length === 1) return directions;
    const cells = directions.flatMap(({ cell }) => cell ?? []);
    const hidden: Tensor2D = concat(
      directions.map((direction) => direction.hidden),
      1,
    );
    return [{ hidden, cell: cells.length === 0 ? undefined : concat(cells, 1) }];
  });
}

/** What {@link handedStates} passes back. */
export function handedGradients(initial: StackStates, numDirections: number): StackStates {
  if (numDirections === 1) return initial;
  return initial.map(([state]) =>
    Array.from({ length: numDirections }, (_, direction): LayerState => {
      const part = (values: Tensor2D): Tensor2D => {
        const [numRows, size] = values.shape;
        const width = size / numDirections;
        return slice(values, [0, direction * width], [numRows, width]);
      };
      const { hidden, cell } = state!;
      return { hidden: part(hidden), cell: cell && part(cell) };
    }),
  );
}
