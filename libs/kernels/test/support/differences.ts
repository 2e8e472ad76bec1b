/** Central differences of a scalar function of `at`. */
export function differences(
  f: (at: Float64Array) => number,
  at: ArrayLike<number>,
  step = 1e-5,
): number[] {
  return Array.from(at, (value, k) => {
    const [above, below] = [Float64Array.from(at), Float64Array.from(at)];
    above[k] = value + step;
    below[k] = value - step;
    return (f(above) - f(below)) / (2 * step);
  });
}
