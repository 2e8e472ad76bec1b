/** What an optimizer remembers from step to step. The next step depends on nothing else. */
export interface OptimizerState {
  /** Updates made. */
  stepCount: number;
  /** By the names in {@link Optimizer.slots}, each as long as the parameters. */
  readonly slots: Readonly<Record<string, Float32Array>>;
}

export interface OptimizerUpdate {
  /** [size]; not changed. */
  readonly parameters: Float32Array;
  /** [size]; not changed. */
  readonly gradient: Float32Array;
  /** Counts the step; its slots are updated in place. */
  readonly state: OptimizerState;
  /** Groups of tensors multiply it by a scale of their own. */
  readonly learningRate: number;
  /** What the gradient is multiplied with first: 1 / loss weight, times what clips all of it. */
  readonly gradientScale: number;
  /**
   * Of `averagedSgd`, ignored by the others: the update, counted from 1, whose parameters are the first in
   * their average, which then has equal shares of these and all later ones. Undefined: update `t0` + 2, as
   * PyTorch's. Until then `average` is the parameters. Where it is given first, it names the update before
   * (whose parameters `average` has) or a later one; from then on it stays.
   */
  readonly averagingStartStep?: number | undefined;
  /** [size]: the new parameters. Another buffer than `parameters`, whose version is immutable. */
  readonly out: Float32Array;
}

/** Maps a version of the parameters and a gradient to the next version; holds no state itself. */
export interface Optimizer {
  /** Names of what the state holds for each parameter, in a fixed order. */
  readonly slots: readonly string[];
  /** The state before the first step. */
  initialState(): OptimizerState;
  /** @throws {LstmError} `invalidOptimizerState` for a state of another optimizer or another layout */
  checkState(state: OptimizerState): void;
  /**
   * @returns the index of the first new parameter that is NaN or infinite, or -1
   * @throws {LstmError} `invalidOptimizerState` for a state of another optimizer or another layout
   * @throws {RangeError} for arrays of other lengths than the layout's; then nothing has changed
   */
  update(update: OptimizerUpdate): number;
}
