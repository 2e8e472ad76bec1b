/** Readers of single arguments; what they refuse, they refuse in words. */

import { InvalidArgumentError } from "commander";

const MAX_UINT32 = 2 ** 32 - 1;

/** A reader of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max = MAX_UINT32): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A reader of numbers above 0, up to `max` where that is given. */
export function positiveNumber(max = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const isFine = text.trim() !== "" && Number.isFinite(value) && value > 0 && value <= max;
    if (!isFine) {
      const bound = max === Infinity ? "" : ` and at most ${max}`;
      throw new InvalidArgumentError(`It takes a number above 0${bound}.`);
    }
    return value;
  };
}

/** Reads a number that is not negative. */
export function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("It takes a number from 0.");
  }
  return value;
}

/** Reads `key=value`, after those read before. */
export function keyValue(text: string, previous: readonly string[] = []): readonly string[] {
  if (!/^[^=\s]+=/.test(text)) {
    throw new InvalidArgumentError(
      "It takes key=value, such as training.epochs=2 (after a --set, CONFIG must stand before it).",
    );
  }
  return [...previous, text];
}
