import { nested, repeated, withDigits, withNumber } from "./structures.js";
import { oneOf } from "./random.js";
import type { Random } from "./random.js";

/** Larger inputs are cut: what they would show, smaller ones do. */
export const MAX_INPUT_BYTES = 1 << 16;

/** How often an input is changed at most before it is tried; once is the rule, as most changes make it no input at all. */
const MAX_CHANGES = 6;

export interface MutationContext {
  readonly random: Random;
  /** Another input, to take parts from. */
  readonly other: Uint8Array;
  /** See `FuzzTarget`. */
  readonly words: readonly string[];
}

type Mutation = (input: Uint8Array, context: MutationContext) => Uint8Array;

const flippedBit: Mutation = (input, { random }) => {
  const changed = Uint8Array.from(input);
  const at = random(0, changed.length - 1);
  changed[at] = (changed[at] ?? 0) ^ (1 << random(0, 7));
  return changed;
};

const ODD_BYTES = [0x00, 0x01, 0x0a, 0x20, 0x22, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xff];

const changedByte: Mutation = (input, { random }) => {
  const changed = Uint8Array.from(input);
  const byte = random(0, 1) === 0 ? random(0, 255) : oneOf(random, ODD_BYTES);
  changed[random(0, changed.length - 1)] = byte;
  return changed;
};

const removedRange: Mutation = (input, { random }) => {
  const [start, end] = rangeIn(input, random);
  return joined(input.subarray(0, start), input.subarray(end));
};

const truncated: Mutation = (input, { random }) => input.subarray(0, random(0, input.length - 1));

const insertedBytes: Mutation = (input, { random }) => {
  const bytes = Uint8Array.from({ length: random(1, 8) }, () => random(0, 255));
  return insertedAt(input, random(0, input.length), bytes);
};

const insertedWord: Mutation = (input, { random, words }) => {
  if (words.length === 0) return insertedBytes(input, { random, words, other: input });
  const word = new TextEncoder().encode(oneOf(random, words));
  const at = random(0, input.length);
  if (random(0, 1) === 0) return insertedAt(input, at, word);
  return joined(input.subarray(0, at), word, input.subarray(at + word.length));
};

/** A part of the other input, put into this one or in place of its own. */
const crossed: Mutation = (input, { random, other }) => {
  const [from, to] = rangeIn(other, random);
  const [start, end] = rangeIn(input, random);
  const part = other.subarray(from, to);
  return joined(input.subarray(0, start), part, input.subarray(random(0, 1) === 0 ? start : end));
};

/** The beginning of one and the end of the other. */
const spliced: Mutation = (input, { random, other }) =>
  joined(
    input.subarray(0, random(0, input.length)),
    other.subarray(random(0, Math.max(0, other.length - 1))),
  );

const movedRange: Mutation = (input, { random }) => {
  const [start, end] = rangeIn(input, random);
  const rest = joined(input.subarray(0, start), input.subarray(end));
  return insertedAt(rest, random(0, rest.length), input.subarray(start, end));
};

const repeatedRange: Mutation = (input, { random }) => {
  const [start, end] = rangeIn(input, random);
  return insertedAt(input, start, repeated(input.subarray(start, end), random));
};

const nestedAt: Mutation = (input, { random }) =>
  insertedAt(input, random(0, input.length), nested(random));

/** The plain ones more often than those that make inputs long. */
const MUTATIONS: readonly Mutation[] = [
  ...[flippedBit, flippedBit, changedByte, changedByte, removedRange, removedRange, truncated],
  ...[insertedBytes, insertedWord, insertedWord, crossed, spliced, movedRange],
  (input, { random }) => withNumber(input, random),
  (input, { random }) => withNumber(input, random),
  (input, { random }) => withDigits(input, random),
  (input, { random }) => withDigits(input, random),
];

/** One in so many changes makes an input long. */
const RARITY = 40;

/** The input with one to six changes: never empty, at most `MAX_INPUT_BYTES`. */
export function mutate(input: Uint8Array, context: MutationContext): Uint8Array {
  const { random } = context;
  let changed = input;
  for (let done = 0; done < MAX_CHANGES && (done === 0 || random(0, 2) === 0); done++) {
    if (changed.length === 0) changed = Uint8Array.of(random(0, 255));
    const mutation =
      random(1, RARITY) === 1
        ? oneOf(random, [repeatedRange, repeatedRange, nestedAt])
        : oneOf(random, MUTATIONS);
    changed = mutation(changed, context);
    if (changed.length > MAX_INPUT_BYTES) changed = changed.subarray(0, MAX_INPUT_BYTES);
  }
  return Uint8Array.from(changed);
}

function rangeIn(input: Uint8Array, random: Random): readonly [start: number, end: number] {
  const start = random(0, Math.max(0, input.length - 1));
  const longest = input.length - start;
  // Mostly short ones: a long range leaves little of what the input was.
  const length = random(0, 3) === 0 ? random(0, longest) : random(0, Math.min(longest, 12));
  return [start, start + length];
}

function insertedAt(input: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  return joined(input.subarray(0, at), part, input.subarray(at));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
