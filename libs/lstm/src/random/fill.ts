import { LstmError } from "../lstm-error.js";
import { streamKey } from "./random-key.js";
import type { RandomKey } from "./random-key.js";
import { fillWords } from "./threefry.js";

/** 24 bits are what a float32 from 0 to 1 holds at equal spacing. */
const UNUSED_BITS = 8;
const SPACING = 2 ** -24;

/**
 * The random number at one place of a key's stream.
 *
 * @param counter a whole number from 0 to 2⁵³ − 2
 * @returns a multiple of 2⁻²⁴ from 0 to below 1, each with equal chance
 * @throws {LstmError} `invalidRandomKey`
 */
export function uniform32(key: RandomKey, counter: number): number {
  const word = new Uint32Array(1);
  requireCounter(counter, word.length);
  fillWords(streamKey(key), counter, word);
  return ((word[0] ?? 0) >>> UNUSED_BITS) * SPACING;
}

/**
 * Random numbers from 0 to below 1: `out[i]` is `uniform32(key, firstCounter + i)`.
 *
 * @throws {LstmError} `invalidRandomKey`
 */
export function fillUniform(key: RandomKey, out: Float32Array, firstCounter = 0): void {
  const words = wordsIn(out, key, firstCounter);
  const { length } = out;
  for (let i = 0; i < length; i++) out[i] = ((words[i] ?? 0) >>> UNUSED_BITS) * SPACING;
}

/**
 * A dropout mask: 1/keepProbability with that probability, else 0, so that a value times its mask
 * keeps its mean. `out[i]` depends on the key and `firstCounter + i` alone.
 *
 * @param keepProbability above 0, at most 1
 * @throws {LstmError} `invalidRandomKey`
 */
export function fillDropoutMask(
  key: RandomKey,
  keepProbability: number,
  out: Float32Array,
  firstCounter = 0,
): void {
  if (!(keepProbability > 0 && keepProbability <= 1)) {
    throw new LstmError(
      "invalidRandomKey",
      `the probability to keep a value is ${keepProbability}; it must be above 0 and at most 1`,
    );
  }
  const words = wordsIn(out, key, firstCounter);
  const threshold = keepProbability * 2 ** 32;
  const kept = Math.fround(1 / keepProbability);
  const { length } = out;
  for (let i = 0; i < length; i++) out[i] = (words[i] ?? 0) < threshold ? kept : 0;
}

/**
 * The first `count` random words of 32 bits of a key's stream.
 *
 * @throws {LstmError} `invalidRandomKey`
 */
export function randomWords(key: RandomKey, count: number): Uint32Array {
  const words = new Uint32Array(count);
  fillWords(streamKey(key), 0, words);
  return words;
}

/** The stream's words in the memory of `out`, which the caller overwrites one by one. */
export function wordsIn(out: Float32Array, key: RandomKey, firstCounter: number): Uint32Array {
  requireCounter(firstCounter, out.length);
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  fillWords(streamKey(key), firstCounter, words);
  return words;
}

function requireCounter(counter: number, count: number): void {
  if (Number.isSafeInteger(counter) && counter >= 0 && Number.isSafeInteger(counter + count))
    return;
  throw new LstmError(
    "invalidRandomKey",
    `the counter is ${counter}; it must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER - count}`,
  );
}
