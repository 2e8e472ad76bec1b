/** What the targets of a loss are: numbers, classes, or one sequence of labels a row. */
export type TargetKind = "values" | "classes" | "labelSequences";

/** One leaf's sums, in float64. */
export interface LossTotals {
  /** Sum of weight × loss, in ascending order of the positions (of the rows, for label sequences). */
  readonly lossSum: number;
  /**
   * What the sum is divided by once all leaves are in: each row's sum over its steps, in their order, and
   * of these the sum over the rows. So it can be told from what each row weighs alone.
   */
  readonly lossWeight: number;
}

/** One leaf's outputs and targets, position by position; `Targets` is Float32Array or Int32Array. */
export interface PositionCall<Targets> {
  /** [steps, rows, outputSize]: the values of the model's head, before any softmax or softplus. */
  readonly outputs: Float32Array;
  readonly numRows: number;
  /** [steps, rows, targetSize]. */
  readonly targets: Targets;
  /**
   * [steps, rows], from 0. Of a position with weight 0 neither outputs nor targets are read, and its
   * gradient is 0.
   */
  readonly weights: Float32Array;
  /** How messages name a position; `at step 1, row 2` where left out. */
  readonly placeOf?: ((step: number, row: number) => string) | undefined;
}

/** One leaf's outputs and label sequences. */
export interface LabelSequencesCall {
  /** [steps, rows, outputSize]: logits of the labels, the blank among them. */
  readonly outputs: Float32Array;
  readonly numRows: number;
  /** [rows]: how many steps of a row are read. The gradient of the others is 0. */
  readonly inputLengths: Int32Array;
  /** [rows, longest]: labels from the start of each row; what follows a row's length is not read. */
  readonly targets: Int32Array;
  /** [rows], from 0. */
  readonly targetLengths: Int32Array;
  /** [rows], from 0. Of a row with weight 0 nothing is read, lengths included, and its gradient is 0. */
  readonly weights: Float32Array;
  /** The number that messages give the first row; 0 where left out. */
  readonly firstRow?: number | undefined;
}

/** A call that wants the gradient too. */
export type WithGradient<Call> = Call & {
  /**
   * As large as `outputs`; overwritten with the gradient of the SUM of weight × loss with respect to
   * the outputs: computed in float64 within a position, rounded to float32 once.
   */
  readonly outputGradient: Float32Array;
};

interface LossOf<Kind extends TargetKind, Call> {
  /** The name of its formula. */
  readonly kind: string;
  readonly targetKind: Kind;
  /** How many values the head gives for a position. */
  readonly outputSize: number;
  /**
   * @throws {LstmError} `invalidBatch`, naming step and row: arrays that do not fit together, weights
   *   that are negative or not finite, targets that the loss does not take.
   */
  evaluate(call: Call): LossTotals;
  /** As `evaluate`, and fills `outputGradient`. */
  gradient(call: WithGradient<Call>): LossTotals;
}

export interface ValuesLoss extends LossOf<"values", PositionCall<Float32Array>> {
  /** How many target values a position has. */
  readonly targetSize: number;
}

export interface ClassesLoss extends LossOf<"classes", PositionCall<Int32Array>> {
  readonly targetSize: 1;
}

export type LabelSequencesLoss = LossOf<"labelSequences", LabelSequencesCall>;

/**
 * A loss over the outputs of a model's head, on plain arrays, one leaf at a time. What one position
 * (one row, for label sequences) comes to does not depend on the others: leaves give the same bits
 * apart and together.
 */
export type Loss = ValuesLoss | ClassesLoss | LabelSequencesLoss;
