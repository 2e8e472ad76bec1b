import { loadAddon } from "../native-addon/index.js";

type Floats = Float32Array;

/**
 * The loops of this room in C++ (native/include/ostinato/flat.hpp), with the same bits: each operation is
 * rounded to float32 there as well, and none is fused. Scalars are float32 values computed here.
 *
 * A NaN is a NaN: its sign and payload are the processor's, in JavaScript as in C++.
 */
export interface CompiledLoops {
  treeAdd(left: Floats, right: Floats, out: Floats): void;
  scaleValues(values: Floats, scale: number, out: Floats): void;
  addScaled(values: Floats, scale: number, other: Floats): void;
  scaleColumns(values: Floats, scales: Floats, out: Floats): void;
  clampValues(values: Floats, limit: number, out: Floats): boolean;
  roundToBfloat16(values: Floats, out: Floats): void;
  firstNonFinite(values: Floats): number;
  readonly crc32: (bytes: Uint8Array, value: number) => number;
  hasFastCrc32(): boolean;
  sumOfSquares(values: Floats): number;
  columnSumsOfSquares(values: Floats, totals: Float64Array): void;
  decayGradient(...update: [...ArraysAndScale, weightDecay: number]): void;
  /** Every update returns what firstNonFinite(out) would. */
  sgdUpdate(...update: [...ArraysAndScale, learningRate: number]): number;
  momentumUpdate(
    ...update: [
      ...ArraysAndScale,
      momentumBuffer: Floats,
      learningRate: number,
      momentum: number,
      taken: number,
      nesterov: boolean,
    ]
  ): number;
  averagedSgdUpdate(
    ...update: [
      ...ArraysAndScale,
      average: Floats,
      learningRate: number,
      shrinkage: number,
      averagingRate: number,
    ]
  ): number;
  adagradUpdate(
    ...update: [...ArraysAndScale, squareSum: Floats, learningRate: number, epsilon: number]
  ): number;
  rmspropUpdate(
    ...update: [
      ...ArraysAndScale,
      squareAverage: Floats,
      gradientAverage: Floats | undefined,
      momentumBuffer: Floats | undefined,
      learningRate: number,
      decay: number,
      rest: number,
      epsilon: number,
      momentum: number,
    ]
  ): number;
  adamUpdate(
    ...update: [
      ...ArraysAndScale,
      firstMoment: Floats,
      secondMoment: Floats,
      maxSecondMoment: Floats | undefined,
      rest1: number,
      beta2: number,
      rest2: number,
      stepSize: number,
      epsilon: number,
    ]
  ): number;
  lambUpdate(
    ...update: [
      ...ArraysAndScale,
      firstMoment: Floats,
      secondMoment: Floats,
      rest1: number,
      beta2: number,
      rest2: number,
      correction1: number,
      correction2: number,
      epsilon: number,
      weightDecay: number,
      learningRate: number,
      maxWeightNorm: number,
    ]
  ): number;
}

type ArraysAndScale = [parameters: Floats, gradient: Floats, out: Floats, gradientScale: number];

/** Null: not looked for yet. */
let found: CompiledLoops | undefined | null = null;
let isOff = false;

/** Undefined where there are none, or where they are switched off: the loops in JavaScript serve. */
export function compiledLoops(): CompiledLoops | undefined {
  if (isOff) return undefined;
  if (found === null) {
    try {
      found = loadAddon() as CompiledLoops;
    } catch {
      // Nothing was compiled here. The backend that is chosen says so; the result is the same.
      found = undefined;
    }
  }
  return found;
}

/** For tests: the loops in JavaScript, whatever is compiled, until it is called with false. */
export function switchCompiledLoopsOff(off: boolean): void {
  isOff = off;
}
