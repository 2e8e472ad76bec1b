export const NONLINEARITIES = ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const;

export type Nonlinearity = (typeof NONLINEARITIES)[number];

/**
 * What the standard deviation of weights before an activation function is multiplied with, so that
 * signals keep their size: PyTorch's `calculate_gain`.
 *
 * @param negativeSlope of `leakyRelu`, for inputs below 0
 */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + negativeSlope * negativeSlope));
    case "selu":
      return 3 / 4;
    default:
      return nonlinearity satisfies never;
  }
}
