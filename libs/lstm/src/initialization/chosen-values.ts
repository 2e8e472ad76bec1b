import type { RandomKey } from "../random/index.js";
import type { InitializerSpec } from "./initialization-spec.js";
import {
  chrono,
  constant,
  glorotNormal,
  glorotUniform,
  hasMemoryGate,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  normal,
  orthogonal,
  truncatedNormal,
  uniform,
  zeros,
} from "./initializers/index.js";
import type { Shape } from "./initializers/index.js";
import type { TensorRole } from "./tensor-role.js";

/** Why an initializer can't start a tensor of this role; undefined if it can. */
export function misfit({ kind }: InitializerSpec, role: TensorRole): string | undefined {
  switch (kind) {
    case "uniform":
    case "normal":
    case "truncatedNormal":
    case "constant":
    case "zeros":
      return undefined;
    case "chrono":
      return role.kind === "cellBias" && hasMemoryGate(role.gates)
        ? undefined
        : "it takes the bias of a layer with gates that keep a state";
    default:
      return role.kind === "embedding" || role.kind === "cellKernel" || role.kind === "linearKernel"
        ? undefined
        : "it takes a matrix of inputs by outputs";
  }
}

/** The values of one block of a tensor. */
export function chosenValues(
  entry: InitializerSpec,
  shape: Shape,
  key: RandomKey,
  role: TensorRole,
): Float32Array {
  switch (entry.kind) {
    case "uniform":
      return uniform(shape, key, entry);
    case "normal":
      return normal(shape, key, entry);
    case "truncatedNormal":
      return truncatedNormal(shape, key, entry);
    case "glorotUniform":
      return glorotUniform(shape, key, entry);
    case "glorotNormal":
      return glorotNormal(shape, key, entry);
    case "heUniform":
      return heUniform(shape, key, entry);
    case "heNormal":
      return heNormal(shape, key, entry);
    case "lecunUniform":
      return lecunUniform(shape, key);
    case "lecunNormal":
      return lecunNormal(shape, key);
    case "orthogonal":
      return orthogonal(shape, key, entry);
    case "identity":
      return identity(shape, entry);
    case "constant":
      return constant(shape, entry);
    case "zeros":
      return zeros(shape);
    case "chrono": {
      const gates = role.kind === "cellBias" ? role.gates : [];
      return chrono({ gates, hiddenSize: (shape[0] ?? 0) / gates.length }, key, entry);
    }
    default:
      return entry satisfies never;
  }
}
