import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A whole number from `min` to `max`, both included. */
export type Random = (min: number, max: number) => number;

/** The same numbers for the same seed and name, on every machine. */
export function seededRandom(seed: number, name: string): Random {
  let state = seed;
  for (const char of name) state = (Math.imul(state, 31) + char.charCodeAt(0)) | 0;
  const generator = xoroshiro128plus(state);
  return (min, max) => uniformInt(generator, min, max);
}

/** @throws RangeError for no items */
export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random(0, items.length - 1)];
  if (item === undefined) throw new RangeError("there is nothing to choose from");
  return item;
}
