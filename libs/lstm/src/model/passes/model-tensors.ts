import { dispose, keep, slice, tensor1d, tensor2d, transpose } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { matMulBias } from "@ostinato/kernels/tensor";

import type { ParameterLayout, TensorLayout } from "../../layout/index.js";
import { LstmError } from "../../lstm-error.js";
import type { ModelSpec } from "../../spec/index.js";
import { inTensorScope } from "./tensor-scope.js";

/**
 * Largest vocabulary for which layer 0 reads its input gates from a projected table. A matter of the
 * spec alone: a choice by batch size would give a leaf other bits in another batch.
 */
const MAX_PROJECTED_VOCABULARY = 256;

/** The tensors of one LSTM layer; the transposes are what backward multiplies with. */
export interface LayerTensors {
  /** [I,4H] */
  readonly inputKernel: Tensor2D;
  readonly inputKernelTransposed: Tensor2D;
  /** [H,4H] */
  readonly recurrentKernel: Tensor2D;
  readonly recurrentKernelTransposed: Tensor2D;
  /** [4H] */
  readonly bias: Tensor1D;
}

/** One parameter version on the backend. It owns its tensors until {@link disposeModelTensors}. */
export interface ModelTensors {
  /** [V,E] */
  readonly table: Tensor2D;
  readonly tableTransposed: Tensor2D;
  /**
   * [V,4H]: table × inputKernel + bias of layer 0. With a vocabulary much smaller than a batch, a row
   * looked up here replaces the same product at every position.
   */
  readonly projectedTable: Tensor2D | undefined;
  readonly layers: readonly LayerTensors[];
  /** [H,V] */
  readonly headKernel: Tensor2D;
  readonly headKernelTransposed: Tensor2D;
  /** [V] */
  readonly headBias: Tensor1D;
}

/**
 * @param parameters flat, in the layout's order; copied.
 * @throws LstmError `invalidParameters` when the length is not the layout's.
 */
export function createModelTensors(
  spec: ModelSpec,
  layout: ParameterLayout,
  parameters: Float32Array,
): ModelTensors {
  if (parameters.length !== layout.size) {
    throw new LstmError(
      "invalidParameters",
      `parameters have ${parameters.length} values, the model has ${layout.size}`,
    );
  }
  const named = new Map(layout.tensors.map((entry) => [entry.name, entry]));
  // Copies: the cpu backend keeps the array that it is given.
  const valuesOf = ({ offset, size }: TensorLayout): Float32Array =>
    parameters.slice(offset, offset + size);
  const matrix = (name: string): Tensor2D => {
    const view = named.get(name)!;
    return tensor2d(valuesOf(view), view.shape as [number, number]);
  };
  const vector = (name: string): Tensor1D => tensor1d(valuesOf(named.get(name)!));
  return inTensorScope(() => {
    const layers = Array.from({ length: spec.numLayers }, (_, layer): LayerTensors => {
      const kernel = matrix(`layers.${layer}.kernel`);
      const width = 4 * spec.hiddenSize;
      const inputSize = kernel.shape[0] - spec.hiddenSize;
      const inputKernel = slice(kernel, [0, 0], [inputSize, width]);
      const recurrentKernel = slice(kernel, [inputSize, 0], [spec.hiddenSize, width]);
      return {
        inputKernel,
        inputKernelTransposed: transpose(inputKernel),
        recurrentKernel,
        recurrentKernelTransposed: transpose(recurrentKernel),
        bias: vector(`layers.${layer}.bias`),
      };
    });
    const table = matrix("embedding.table");
    const headKernel = matrix("head.kernel");
    const [{ inputKernel, bias }] = layers as [LayerTensors];
    const tensors: ModelTensors = {
      table,
      tableTransposed: transpose(table),
      projectedTable:
        spec.vocabularySize <= MAX_PROJECTED_VOCABULARY
          ? matMulBias(table, inputKernel, bias)
          : undefined,
      layers,
      headKernel,
      headKernelTransposed: transpose(headKernel),
      headBias: vector("head.bias"),
    };
    for (const owned of tensorsOf(tensors)) keep(owned);
    return tensors;
  });
}

export function disposeModelTensors(tensors: ModelTensors): void {
  dispose(tensorsOf(tensors));
}

function tensorsOf({ layers, projectedTable, ...others }: ModelTensors): Tensor[] {
  return [
    ...Object.values(others),
    ...layers.flatMap((layer) => Object.values(layer) as Tensor[]),
    ...(projectedTable === undefined ? [] : [projectedTable]),
  ];
}
