import { compileKeys } from "../keys/index.js";
import { LstmError } from "../lstm-error.js";
import { shown } from "../shown.js";
import { optimizerSchema } from "./optimizer-keys.js";
import type { OptimizerSpec } from "./optimizer-keys.js";

export interface BrokenOptimizerRule {
  readonly path: readonly ["nesterov" | "dampening"];
  readonly message: string;
}

/** The first rule between keys that a spec breaks, each of which is right on its own. */
export function brokenOptimizerRule(spec: OptimizerSpec): BrokenOptimizerRule | undefined {
  if (spec.kind !== "momentum") return undefined;
  const { momentum, dampening, nesterov } = spec;
  // PyTorch ignores the dampening of a momentum of 0, and refuses the others.
  if (dampening > 0 && momentum === 0) {
    return { path: ["dampening"], message: "it needs a momentum above 0" };
  }
  if (nesterov && (momentum === 0 || dampening > 0)) {
    return { path: ["nesterov"], message: "it needs a momentum above 0 and a dampening of 0" };
  }
  return undefined;
}

/**
 * Checks every key, fills in the defaults of those that are left out and returns a frozen copy.
 *
 * @param raw a plain object, such as `{ kind: "momentum", nesterov: true }`
 * @throws {LstmError} `invalidOptimizer`, naming the key, its value and what is allowed
 */
export function compileOptimizerSpec(raw: unknown): OptimizerSpec {
  const options = { code: "invalidOptimizer", group: "optimizer" } as const;
  const spec = compileKeys(optimizerSchema, raw, options);
  const broken = brokenOptimizerRule(spec);
  if (broken === undefined) return spec;
  const [key] = broken.path;
  const value = shown((spec as Readonly<Record<string, unknown>>)[key]);
  throw new LstmError(options.code, `optimizer.${key} is ${value}; ${broken.message}`);
}
