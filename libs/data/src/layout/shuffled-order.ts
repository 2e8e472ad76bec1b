/**
 * An order of `count` things, every one as likely as any other (Fisher and Yates, 1938, from the end).
 *
 * @param words [count] random words of 32 bits
 * @param count up to 2²¹: the product of a word and a place is exact then
 */
export function shuffledOrder(count: number, words: Uint32Array): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    // Lemire's multiplication: from 0 to `last`, without a division's remainder.
    const chosen = Math.floor((words[last]! * (last + 1)) / 2 ** 32);
    const value = order[chosen]!;
    order[chosen] = order[last]!;
    order[last] = value;
  }
  return order;
}
