/** What every model does to the values around its recurrent stack in training. */
import type { RecurrentStackSpec } from "../../src/index.js";
import type { OracleMasks } from "./masks.js";
import type { Sequence, Vector } from "./tensors.js";

interface Dropped {
  readonly spec: RecurrentStackSpec;
  readonly masks: OracleMasks;
  /** The leaf's number. */
  readonly leaf: number;
  readonly purpose: "inputDropout" | "outputDropout";
  /** The number that tells this place's masks from those of other places. */
  readonly layer?: number;
}

/** A leaf's rows times the masks of what goes into, or comes out of, a stack. */
export function dropped(
  { spec, masks, leaf, purpose, layer = 0 }: Dropped,
  sequence: Sequence,
): Sequence {
  return sequence.map((steps, row) => {
    const options = { purpose, layer, leaf, row, rate: spec[purpose], size: steps[0]!.length };
    const mask = masks.dropout(options, spec.variationalDropout);
    return steps.map((x, t) => x.map((value, j) => value * mask(t, j)));
  });
}

/**
 * α·mean(m∘h)² + β·mean(h_t − h_{t−1})² at one position (Merity et al., 2018, sections 4.6 and 4.7).
 *
 * @param outputs of one row's steps.
 */
export function penaltyAt(
  { activationPenalty, temporalActivationPenalty }: RecurrentStackSpec,
  outputs: readonly Vector[],
  afterDropout: readonly Vector[],
  t: number,
): number {
  const meanSquare = (values: Vector): number =>
    values.reduce((sum, value) => sum + value * value, 0) / values.length;
  const changes = t === 0 ? [0] : outputs[t]!.map((value, j) => value - outputs[t - 1]![j]!);
  return (
    activationPenalty * meanSquare(afterDropout[t]!) +
    temporalActivationPenalty * meanSquare(changes)
  );
}
