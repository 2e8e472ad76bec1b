import type { RandomKey } from "../../random/index.js";
import { calculateGain } from "./gain.js";
import type { Nonlinearity } from "./gain.js";
import type { Shape } from "./shape.js";
import { normal, uniform } from "./spread.js";

export interface GlorotOptions {
  readonly gain: number;
}

export interface HeOptions {
  /** Whether signals keep their size forward (inputs of a unit) or gradients backward (its outputs). */
  readonly fan: "fanIn" | "fanOut";
  readonly nonlinearity: Nonlinearity;
  readonly negativeSlope: number;
}

/** Of a matrix [inputs, outputs]. */
function fansOf([fanIn = 1, fanOut = 1]: Shape): {
  readonly fanIn: number;
  readonly fanOut: number;
} {
  return { fanIn, fanOut };
}

/** gain · √(2 / (fanIn + fanOut)): Glorot and Bengio, 2010. PyTorch's xavier_*_. */
function glorotStd(shape: Shape, { gain }: GlorotOptions): number {
  const { fanIn, fanOut } = fansOf(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** gain / √fan: He et al., 2015. PyTorch's kaiming_*_. */
function heStd(shape: Shape, { fan, nonlinearity, negativeSlope }: HeOptions): number {
  return calculateGain(nonlinearity, negativeSlope) / Math.sqrt(fansOf(shape)[fan]);
}

/** 1 / √fanIn: LeCun et al., "Efficient BackProp", 1998. */
function lecunStd(shape: Shape): number {
  return 1 / Math.sqrt(fansOf(shape).fanIn);
}

/** A uniform distribution within ±b has the standard deviation b/√3. */
function uniformOf(shape: Shape, key: RandomKey, std: number): Float32Array {
  return uniform(shape, key, { range: Math.sqrt(3) * std });
}

function normalOf(shape: Shape, key: RandomKey, std: number): Float32Array {
  return normal(shape, key, { mean: 0, std });
}

export const glorotUniform = (shape: Shape, key: RandomKey, options: GlorotOptions): Float32Array =>
  uniformOf(shape, key, glorotStd(shape, options));

export const glorotNormal = (shape: Shape, key: RandomKey, options: GlorotOptions): Float32Array =>
  normalOf(shape, key, glorotStd(shape, options));

export const heUniform = (shape: Shape, key: RandomKey, options: HeOptions): Float32Array =>
  uniformOf(shape, key, heStd(shape, options));

export const heNormal = (shape: Shape, key: RandomKey, options: HeOptions): Float32Array =>
  normalOf(shape, key, heStd(shape, options));

export const lecunUniform = (shape: Shape, key: RandomKey): Float32Array =>
  uniformOf(shape, key, lecunStd(shape));

export const lecunNormal = (shape: Shape, key: RandomKey): Float32Array =>
  normalOf(shape, key, lecunStd(shape));
