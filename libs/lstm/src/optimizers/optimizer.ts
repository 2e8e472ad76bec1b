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
  readonly learningRate: number;
  /** What the gradient is multiplied with first: see `globalNormClip`. */
  readonly gradientScale: number;
  /** [size]: the new parameters. Another buffer than `parameters`, whose version is immutable. */
  readonly out: Float32Array;
}

/** Maps a version of the parameters and a gradient to the next version; holds no state itself. */
export interface Optimizer {
  /** Names of what the state holds for each parameter, in a fixed order. */
  readonly slots: readonly string[];
  /** The state before the first step, for that many parameters. */
  initialState(size: number): OptimizerState;
  /**
   * @throws {LstmError} `invalidOptimizerState` for a state of another optimizer or another size
   * @throws {RangeError} for arrays of different lengths
   */
  update(update: OptimizerUpdate): void;
}
