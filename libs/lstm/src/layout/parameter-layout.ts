import { LstmError } from "../lstm-error.js";
import type { ModelSpec } from "../spec/index.js";

export interface TensorLayout {
  /** Such as `layers.0.kernel`. */
  readonly name: string;
  /** Row-major. */
  readonly shape: readonly number[];
  /** Index of the first value in the flat buffer. */
  readonly offset: number;
  /** Number of values. */
  readonly size: number;
}

/** The tensors of a model one after the other, without gaps, in the order of the forward pass. */
export interface ParameterLayout {
  readonly tensors: readonly TensorLayout[];
  /** Values of the flat buffer. */
  readonly size: number;
}

/** What a frame's position and a tfjs shape can count; also 8 GiB of float32. */
const MAX_PARAMETERS = 2 ** 31 - 1;

/**
 * The layout of a model's parameters and gradients.
 *
 * `embedding.table` [V,E]; per layer l `layers.l.kernel` [I+H,4H] (rows: the input's, then the hidden
 * state's; I = E for layer 0, else H) and `layers.l.bias` [4H], columns in the order i, f, g, o;
 * `head.kernel` [H,V] and `head.bias` [V].
 *
 * @throws {LstmError} `invalidSpec` for more parameters than can be addressed
 */
export function parameterLayout(spec: ModelSpec): ParameterLayout {
  const { vocabularySize, embeddingSize, hiddenSize, numLayers } = spec;
  const tensors: TensorLayout[] = [];
  let size = 0;
  const add = (name: string, shape: readonly number[]): void => {
    const tensorSize = shape.reduce((product, extent) => product * extent, 1);
    tensors.push({ name, shape, offset: size, size: tensorSize });
    size += tensorSize;
  };
  add("embedding.table", [vocabularySize, embeddingSize]);
  for (let layer = 0; layer < numLayers; layer++) {
    const inputSize = layer === 0 ? embeddingSize : hiddenSize;
    add(`layers.${layer}.kernel`, [inputSize + hiddenSize, 4 * hiddenSize]);
    add(`layers.${layer}.bias`, [4 * hiddenSize]);
  }
  add("head.kernel", [hiddenSize, vocabularySize]);
  add("head.bias", [vocabularySize]);
  if (size > MAX_PARAMETERS) {
    throw new LstmError(
      "invalidSpec",
      `the model has ${size} parameters; it may have up to ${MAX_PARAMETERS}`,
    );
  }
  return { tensors, size };
}

/**
 * The values of one tensor within a flat buffer: a view, no copy.
 *
 * @param flat [layout.size]
 * @throws {RangeError} for a name that the layout lacks, or a buffer of another size
 */
export function tensorView(
  flat: Float32Array,
  layout: ParameterLayout,
  name: string,
): Float32Array {
  const tensor = layout.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) {
    const names = layout.tensors.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`there is no tensor ${name}; the layout has ${names}`);
  }
  if (flat.length !== layout.size) {
    throw new RangeError(`the buffer has ${flat.length} values; the layout has ${layout.size}`);
  }
  return flat.subarray(tensor.offset, tensor.offset + tensor.size);
}
