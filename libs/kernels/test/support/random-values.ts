/** Reproducible values in [-scale, scale) of a linear congruential generator, exact in float32 for scale 1. */
export function randomValues(seed: number): (count: number, scale?: number) => Float32Array {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
  return (count, scale = 1) => Float32Array.from({ length: count }, () => scale * next());
}
