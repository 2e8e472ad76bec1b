import { LstmError } from "../lstm-error.js";
import { shown } from "../shown.js";

/** Stochastic gradient descent. */
export interface SgdSpec {
  readonly kind: "sgd";
}

/** torch.optim.SGD with a momentum and no dampening. */
export interface MomentumSpec {
  readonly kind: "momentum";
  /** From 0 to below 1. */
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** torch.optim.RMSprop. */
export interface RmspropSpec {
  readonly kind: "rmsprop";
  /** Share of the running mean of squares that stays (PyTorch's alpha), from 0 to below 1. */
  readonly decay: number;
  /** Added after the square root; above 0. */
  readonly epsilon: number;
  /** From 0 to below 1; 0 for none. */
  readonly momentum: number;
  /** PyTorch's centered form is not there. */
  readonly centered: false;
}

/** torch.optim.Adam (Kingma and Ba, 2015). */
export interface AdamSpec {
  readonly kind: "adam";
  /** From 0 to below 1. */
  readonly beta1: number;
  /** From 0 to below 1. */
  readonly beta2: number;
  /** Added after the square root and its bias correction; above 0. */
  readonly epsilon: number;
}

/** The learning rate is no part of it: it comes with each update. */
export type OptimizerSpec = SgdSpec | MomentumSpec | RmspropSpec | AdamSpec;

/** @throws {LstmError} `invalidOptimizer` naming the key, its value and what is allowed */
export function requireShares(kind: string, shares: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(shares)) {
    if (value >= 0 && value < 1) continue;
    throw notAllowed(kind, key, value, "a number from 0 to below 1");
  }
}

/** @throws {LstmError} `invalidOptimizer` naming the key, its value and what is allowed */
export function requireEpsilon(kind: string, epsilon: number): void {
  if (epsilon > 0 && Number.isFinite(epsilon)) return;
  throw notAllowed(kind, "epsilon", epsilon, "a number above 0");
}

/**
 * A spec may come from a file, whatever its type says; what is not supported is refused, not ignored.
 *
 * @throws {LstmError} `invalidOptimizer` naming the key, its value and what is allowed
 */
export function requireOneOf(
  kind: string,
  flags: Readonly<Record<string, unknown>>,
  allowed: readonly boolean[],
): void {
  for (const [key, value] of Object.entries(flags)) {
    if (allowed.some((flag) => flag === value)) continue;
    throw notAllowed(kind, key, value, allowed.join(" or "));
  }
}

function notAllowed(kind: string, key: string, value: unknown, allowed: string): LstmError {
  return new LstmError(
    "invalidOptimizer",
    `${key} of the ${kind} optimizer is ${shown(value)}; it must be ${allowed}`,
  );
}
