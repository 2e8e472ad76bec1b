import { checkLength, checkRows, checkWeight, invalid } from "../call-checks.js";
import type { LossTotals, PositionCall, WithGradient } from "../loss.js";

/** One loss, position by position. `Targets` is Float32Array or Int32Array. */
export interface PositionFormula<Targets> {
  /** As messages name it. */
  readonly kind: string;
  readonly outputSize: number;
  readonly targetSize: number;
  /** The targets it takes, as the end of "it must be …". */
  readonly allowed: string;
  readonly admits: (target: number) => boolean;
  /** What the position adds to the loss weight, times its own weight; undefined masks it. */
  readonly share: (targets: Targets, position: number) => number | undefined;
  /**
   * The loss of a position. Writes, where there is an `outputGradient`, the gradient of weight × loss
   * to the position's place in it.
   */
  readonly lossAt: (
    call: PositionCall<Targets>,
    position: number,
    weight: number,
    outputGradient: Float32Array | undefined,
  ) => number;
}

interface PositionMethods<Targets> {
  readonly evaluate: (call: PositionCall<Targets>) => LossTotals;
  readonly gradient: (call: WithGradient<PositionCall<Targets>>) => LossTotals;
}

/** Checks a call and adds up its positions. */
export function overPositions<Targets extends Float32Array | Int32Array>(
  formula: PositionFormula<Targets>,
): PositionMethods<Targets> {
  function totals(call: PositionCall<Targets>, outputGradient?: Float32Array): LossTotals {
    checkCall(formula, call, outputGradient);
    outputGradient?.fill(0);
    const { targets, weights, numRows } = call;
    let lossSum = 0;
    // By row first, so that what a row weighs does not depend on the rows beside it.
    const ofRows = new Float64Array(numRows);
    for (let position = 0; position < weights.length; position++) {
      const weight = weights[position]!;
      const share = weight === 0 ? undefined : formula.share(targets, position);
      if (share === undefined) continue;
      lossSum += weight * formula.lossAt(call, position, weight, outputGradient);
      ofRows[position % numRows]! += weight * share;
    }
    return { lossSum, lossWeight: ofRows.reduce((sum, ofRow) => sum + ofRow, 0) };
  }
  return {
    evaluate: (call) => totals(call),
    gradient: (call) => totals(call, call.outputGradient),
  };
}

function checkCall<Targets extends Float32Array | Int32Array>(
  formula: PositionFormula<Targets>,
  { outputs, numRows, targets, weights, placeOf = byStepAndRow }: PositionCall<Targets>,
  outputGradient: Float32Array | undefined,
): void {
  const { outputSize, targetSize, allowed, admits, share } = formula;
  const whose = `${formula.kind} loss`;
  const numPositions = weights.length;
  checkRows(whose, "weights", numPositions, [numRows, 1]);
  checkLength(whose, "outputs", outputs, [numPositions, "positions", outputSize]);
  checkLength(whose, "targets", targets, [numPositions, "positions", targetSize]);
  if (outputGradient !== undefined) {
    checkLength(whose, "outputGradient", outputGradient, [numPositions, "positions", outputSize]);
  }
  for (let position = 0; position < numPositions; position++) {
    const weight = weights[position]!;
    const place = (): string => placeOf(Math.floor(position / numRows), position % numRows);
    checkWeight(whose, weight, place);
    if (weight === 0 || share(targets, position) === undefined) continue;
    for (let k = 0; k < targetSize; k++) {
      const target = targets[position * targetSize + k]!;
      if (admits(target)) continue;
      const which = targetSize === 1 ? "the target" : `target value ${k}`;
      throw invalid(whose, `${which} ${place()} is ${target}; it must be ${allowed}`);
    }
  }
}

const byStepAndRow = (step: number, row: number): string => `at step ${step}, row ${row}`;
