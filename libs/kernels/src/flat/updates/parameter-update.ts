/**
 * What the optimizers' updates have in common. Each is one pass over the values; its formula and the
 * order of its operations are those of PyTorch's optimizer (torch/optim) on float32 tensors, with every
 * result rounded to float32.
 *
 * A float64 operation on float32 values followed by a rounding to float32 is the float32 operation:
 * float64 has more than 2 × 24 + 2 significant bits, hence the double rounding of +, −, ×, ÷ and √
 * changes nothing (Figueroa, "When is double rounding innocuous?", 1995). A store in a Float32Array
 * rounds as Math.fround does. So a loop here and its compiled one (`compiled-loops.ts`) give the same
 * bits, whatever the number of threads.
 *
 * Each looks for new parameters that are not finite; the compiled loops do so block by block, while a block is in a
 * cache, as a pass of its own would read all of them again.
 */

/** What every update has. The arrays are equally long; scalars are rounded to float32 once. */
export interface ParameterUpdate {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  /** The new parameters; may be `parameters` itself. */
  readonly out: Float32Array;
  /** What the gradient is multiplied with before anything else: 1 / loss weight × clipping. */
  readonly gradientScale: number;
  readonly learningRate: number;
}
