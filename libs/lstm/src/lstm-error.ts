/** What can go wrong in this package. */
export type LstmErrorCode =
  /** A model spec has an unknown, missing or impossible key. */
  | "invalidSpec"
  /** An optimizer spec has an impossible key. */
  | "invalidOptimizer"
  /** An optimizer's state is not that of this optimizer or of these parameters. */
  | "invalidOptimizerState"
  /** A loss has an impossible key. */
  | "invalidLoss"
  /** A learning-rate schedule has an impossible key. */
  | "invalidSchedule"
  /** What is to be decided from evaluations has an impossible key. */
  | "invalidDecisions"
  /** A loss weight or a norm that no gradient can be averaged or clipped with. */
  | "invalidClipping"
  /** A field of a random key or a counter is out of range. */
  | "invalidRandomKey"
  /** Parameters are not as many as the model's layout says. */
  | "invalidParameters"
  /** A batch contradicts itself or the model. */
  | "invalidBatch"
  /** A setting of generation or decoding is out of range, or logits that nothing can be drawn from. */
  | "invalidSampling"
  /** Moments or running statistics of another model, or of a number of leaves that is no tree. */
  | "invalidStatistics"
  /** A trainer's state has a step or decisions that no trainer has. */
  | "invalidTrainerState"
  /** A gradient or an update of the parameters is not finite. */
  | "notFinite"
  /** The caller asked a computation to stop. */
  | "cancelled";

/** The one error of this package: a code to branch on, and one line for a person. */
export class LstmError extends Error {
  override readonly name = "LstmError";
  readonly code: LstmErrorCode;

  constructor(code: LstmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
