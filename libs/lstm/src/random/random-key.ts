import { LstmError } from "../lstm-error.js";
import { threefry2x32 } from "./threefry.js";
import type { Word64 } from "./threefry.js";

/**
 * What random numbers are for, and its number in the key. A number is for ever: another one would
 * change every run.
 */
export const RANDOM_PURPOSES = {
  embeddingInitialization: 1,
  kernelInitialization: 2,
  headInitialization: 3,
  dropout: 4,
  sampling: 5,
  gradientNoise: 6,
  weightDropout: 7,
  embeddingDropout: 8,
  zoneout: 9,
  inputDropout: 10,
  outputDropout: 11,
  tensorInitialization: 12,
  syntheticTask: 13,
  sampleOrder: 14,
} as const;

export type RandomPurpose = keyof typeof RANDOM_PURPOSES;

/**
 * Names a stream of random numbers. Numbers are whole, from 0 to 2³² − 1; leaf and row to 2³² − 2.
 * A key without a leaf, or without a row, is another key than any that has one.
 */
export interface RandomKey {
  readonly seed: number;
  readonly step: number;
  readonly purpose: RandomPurpose;
  readonly layer: number;
  /** For masks of activations: the micro-shard. */
  readonly leaf?: number;
  /** For masks of activations: the row within the leaf. */
  readonly row?: number;
}

const MAX_UINT32 = 2 ** 32 - 1;
/** Stands for a leaf or row that the key does not have. */
const ABSENT = MAX_UINT32;

/**
 * The Threefry key of a stream, by enciphering the fields one pair after the other, each with the
 * result of the pair before as its key. Every link is a bijection of its pair: keys that differ in
 * one pair alone never collide, others do with a chance of 2⁻⁶⁴ a couple.
 *
 * @throws {LstmError} `invalidRandomKey` naming the field, its value and what is allowed
 */
export function streamKey(key: RandomKey): Word64 {
  const { seed, step, purpose, layer, leaf, row } = key;
  requireField("seed", seed, MAX_UINT32);
  requireField("step", step, MAX_UINT32);
  requireField("layer", layer, MAX_UINT32);
  if (leaf !== undefined) requireField("leaf", leaf, ABSENT - 1);
  if (row !== undefined) requireField("row", row, ABSENT - 1);
  const ofRun: Word64 = [seed, 0];
  const ofStep = threefry2x32(ofRun, [step, RANDOM_PURPOSES[purpose]]);
  const ofLeaf = threefry2x32(ofStep, [layer, leaf ?? ABSENT]);
  return threefry2x32(ofLeaf, [row ?? ABSENT, 0]);
}

function requireField(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new LstmError(
    "invalidRandomKey",
    `the ${name} of a random key is ${value}; it must be a whole number from 0 to ${max}`,
  );
}
