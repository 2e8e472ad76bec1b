import type { TensorLayout } from "../layout/index.js";
import type { RandomKey } from "../random/index.js";
import { constant, uniform, zeros } from "./initializers/index.js";
import type { Gate } from "./initializers/index.js";
import { tensorKey } from "./tensor-key.js";
import type { TensorRole } from "./tensor-role.js";

export interface DefaultOptions {
  readonly seed: number;
  readonly hiddenSize: number;
  readonly forgetBias: number;
}

/** What a tensor starts from where no entry says otherwise; {@link initialParameters} tells why. */
export function defaultValues(
  { name, shape, size }: TensorLayout,
  role: TensorRole,
  { seed, hiddenSize, forgetBias }: DefaultOptions,
): Float32Array {
  const key = defaultKey(name, seed);
  switch (role.kind) {
    case "embedding":
      return uniform(shape, key, { range: Math.sqrt(3) });
    case "cellKernel":
      return uniform(shape, key, { range: 1 / Math.sqrt(hiddenSize) });
    case "linearKernel":
      return uniform(shape, key, { range: 1 / Math.sqrt(shape[0] ?? 1) });
    case "cellBias":
      return openGates(role.gates, size, forgetBias);
    case "gain":
      return constant(shape, { value: 1 });
    case "shift":
      return zeros(shape);
    default:
      return role satisfies never;
  }
}

/** `forgetBias` for the forget gates; where f = 1 − i, its opposite for the input gates. */
function openGates(gates: readonly Gate[], size: number, forgetBias: number): Float32Array {
  const values = new Float32Array(size);
  const columns = size / gates.length;
  const forget = gates.indexOf("forget");
  if (forget >= 0) values.fill(forgetBias, forget * columns, (forget + 1) * columns);
  const input = gates.indexOf("input");
  if (forget < 0 && input >= 0) values.fill(-forgetBias, input * columns, (input + 1) * columns);
  return values;
}

/** The streams of the first tensors there were; all others have one by their name. */
function defaultKey(name: string, seed: number): RandomKey {
  const layer = /^layers\.(\d+)\.kernel$/.exec(name)?.[1];
  if (layer !== undefined) {
    return { seed, step: 0, purpose: "kernelInitialization", layer: Number(layer) };
  }
  if (name === "embedding.table") {
    return { seed, step: 0, purpose: "embeddingInitialization", layer: 0 };
  }
  if (name === "head.kernel") return { seed, step: 0, purpose: "headInitialization", layer: 0 };
  return tensorKey(name, seed);
}
