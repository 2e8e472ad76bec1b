/** So small that a relu's bend hardly ever lies within it; float64 leaves nine digits of the result. */
const STEP = 1e-6;

/**
 * Central differences of several functions at once.
 *
 * @param at what they are functions of; perturbed in place and restored.
 * @param picked indices into `at`.
 * @param compute the functions' values.
 * @returns [function][picked]
 */
export function centralDifferences(
  at: Float64Array,
  picked: readonly number[],
  compute: () => readonly number[],
): number[][] {
  const perPick = picked.map((k) => {
    const original = at[k]!;
    at[k] = original + STEP;
    const above = compute();
    at[k] = original - STEP;
    const below = compute();
    at[k] = original;
    return above.map((value, index) => (value - below[index]!) / (2 * STEP));
  });
  return compute().map((_, index) => perPick.map((values) => values[index]!));
}
