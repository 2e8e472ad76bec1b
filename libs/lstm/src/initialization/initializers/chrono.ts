import { log } from "../../portable/index.js";
import { fillUniform } from "../../random/index.js";
import type { RandomKey } from "../../random/index.js";

/** A gate of a recurrent cell; `candidate` is what the gates let in. */
export type Gate = "input" | "forget" | "candidate" | "output" | "reset" | "update";

/** With which sign a gate's bias keeps the state of the cell. */
const KEEPS: Readonly<Partial<Record<Gate, 1 | -1>>> = { forget: 1, update: 1, input: -1 };

/** Whether a cell has a gate that chrono initialization knows of. */
export function hasMemoryGate(gates: readonly Gate[]): boolean {
  return gates.some((gate) => KEEPS[gate] !== undefined);
}

/**
 * Biases that let each unit remember for about one of the times from 1 to maxTime − 1, evenly spread:
 * ln u for the forget gates (a GRU's update gates), −ln u for the input gates, with the same
 * u ~ U[1, maxTime − 1] for both gates of a unit; 0 for the others. Tallec and Ollivier, "Can recurrent
 * neural networks warp time?", 2018, equation 16.
 *
 * @param gates in the order of the bias' parts
 * @param maxTime the longest dependency that is expected, in time steps; from 2
 * @returns [gates.length · hiddenSize]
 */
export function chrono(
  { gates, hiddenSize }: { readonly gates: readonly Gate[]; readonly hiddenSize: number },
  key: RandomKey,
  { maxTime }: { readonly maxTime: number },
): Float32Array {
  const draws = new Float32Array(hiddenSize);
  fillUniform(key, draws);
  const biases = Float64Array.from(draws, (draw) => log(1 + draw * (maxTime - 2)));
  const values = new Float32Array(gates.length * hiddenSize);
  for (const [g, gate] of gates.entries()) {
    const sign = KEEPS[gate];
    if (sign === undefined) continue;
    values.set(
      biases.map((bias) => sign * bias),
      g * hiddenSize,
    );
  }
  return values;
}
