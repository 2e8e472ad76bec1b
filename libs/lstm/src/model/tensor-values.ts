/** What the doors for tfjs tensors read out of them. */
import type { Tensor } from "@tensorflow/tfjs-core";

import { LstmError } from "../lstm-error.js";

/** A tensor of a batch, with its name in messages. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** What a shape has to be: its sizes, and their names where they may be any. */
type Sizes = readonly (number | string)[];

/** @throws LstmError `invalidBatch` for a tensor that is not int32 or not of that shape. */
export function int32Of(named: NamedTensor, sizes: Sizes): Int32Array {
  expectTensor(named, "int32", sizes);
  return named.tensor.dataSync<"int32">();
}

/** @throws LstmError `invalidBatch` for a tensor that is not float32 or not of that shape. */
export function float32Of(named: NamedTensor, sizes: Sizes): Float32Array {
  expectTensor(named, "float32", sizes);
  return named.tensor.dataSync<"float32">();
}

/** @throws LstmError `invalidBatch` for a tensor that is neither float32 nor int32. */
export function numbersOf({ name, tensor }: NamedTensor): Float32Array | Int32Array {
  if (tensor.dtype === "int32") return tensor.dataSync<"int32">();
  if (tensor.dtype === "float32") return tensor.dataSync<"float32">();
  throw new LstmError("invalidBatch", `${name} are ${tensor.dtype}, expected float32 or int32`);
}

function expectTensor({ name, tensor }: NamedTensor, dtype: string, sizes: Sizes): void {
  const { shape } = tensor;
  const fits =
    shape.length === sizes.length &&
    sizes.every((size, axis) => typeof size === "string" || size === shape[axis]);
  if (tensor.dtype === dtype && fits) return;
  throw new LstmError(
    "invalidBatch",
    `${name} are ${tensor.dtype} of shape [${shape.join(", ")}], expected ${dtype} of shape ` +
      `[${sizes.join(", ")}]`,
  );
}
