import {
  dispose,
  engine,
  reshape,
  tensor1d,
  tensor2d,
  tensor3d,
  transpose,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { expectClose } from "../../../test/support/expect-close.js";
import { randomValues } from "../../../test/support/random-values.js";
import { selectBackend } from "../backends.js";
import { KERNEL_NAMES } from "../contract/index.js";
import type { KernelName } from "../contract/index.js";
import { REFERENCE_KERNELS } from "../reference/index.js";

beforeEach(() => engine().startScope());
afterEach(() => engine().endScope());

describe("the wasm backend's own kernels", () => {
  beforeAll(() => selectBackend("wasm"));

  function expectLikeReference(
    kernelName: KernelName,
    inputs: Record<string, Tensor>,
    attrs: Record<string, number> = {},
  ): Tensor[] {
    const reference = REFERENCE_KERNELS[kernelName] as (call: object) => Tensor[];
    const expected = reference({ inputs, attrs, backend: engine().backend });
    const actual = engine().runKernel(kernelName, inputs, attrs) as unknown as Tensor[];
    for (const [index, tensor] of actual.entries()) {
      expect(tensor.shape).toEqual(expected[index]!.shape);
      expectClose(tensor.dataSync(), expected[index]!.dataSync(), 1e-5);
    }
    expect(actual.length).toBe(expected.length);
    return expected;
  }

  it("agree with the reference to 1e-5, also for sizes that no vector width divides", () => {
    for (const [T, B, H] of [
      [20, 9, 37],
      [17, 1, 64],
      [5, 33, 130],
    ] as const) {
      const values = randomValues(T * B * H);
      const recurrentKernel = tensor2d(values(H * 4 * H, 0.3), [H, 4 * H]);
      const [, cell, gates, cellActivations] = expectLikeReference(
        KERNEL_NAMES.lstmSequenceForward,
        {
          inputGates: tensor3d(values(T * B * 4 * H, 4), [T, B, 4 * H]),
          recurrentKernel,
          initialHidden: tensor2d(values(B * H), [B, H]),
          initialCell: tensor2d(values(B * H, 2), [B, H]),
        },
      ) as [Tensor, Tensor, Tensor, Tensor];
      expectLikeReference(KERNEL_NAMES.lstmSequenceBackward, {
        hiddenGradient: tensor3d(values(T * B * H, 0.1), [T, B, H]),
        gates,
        cell,
        cellActivations,
        recurrentKernelTransposed: transpose(recurrentKernel),
      });
    }
  });

  it("agree with the reference on layer normalization, with and without gain and bias", () => {
    const [N, C] = [33, 130];
    const values = randomValues(5);
    const rows = tensor2d(values(N * C, 3), [N, C]);
    const gradient = tensor2d(values(N * C), [N, C]);
    const [gain, bias] = [tensor1d(values(C, 2)), tensor1d(values(C))];
    for (const given of [{}, { gain }, { bias }, { gain, bias }]) {
      const [, normalized, inverseDeviations] = expectLikeReference(
        KERNEL_NAMES.layerNorm,
        { rows, ...given },
        { epsilon: 1e-5 },
      ) as [Tensor, Tensor, Tensor];
      const forward = { normalized, inverseDeviations, ...("gain" in given ? { gain } : {}) };
      expectLikeReference(KERNEL_NAMES.layerNormGradient, { gradient, ...forward });
    }
  });

  it.each([
    { numPositions: 67, hiddenSize: 19, vocabularySize: 83, blocks: "one block" },
    { numPositions: 70, hiddenSize: 3, vocabularySize: 40_000, blocks: "three blocks" },
  ])(
    "agree with the reference on the loss of $numPositions positions in $blocks",
    ({ numPositions: N, hiddenSize: H, vocabularySize: V }) => {
      const values = randomValues(N);
      const kernel = tensor2d(values(H * V, 0.5), [H, V]);
      const targets = Int32Array.from(values(N), (value) => Math.floor((value + 1) * 0.5 * V));
      const inputs = {
        hidden: tensor2d(values(N * H), [N, H]),
        kernel,
        bias: tensor1d(values(V)),
        targets: tensor1d(targets, "int32"),
        weights: tensor1d(Float32Array.from({ length: N }, (_, n) => (n % 3 === 0 ? 0 : 1))),
      };
      expectLikeReference(KERNEL_NAMES.linearSoftmaxCrossEntropy, inputs);
      const kernelTransposed: Tensor2D = transpose(kernel);
      for (const labelSmoothing of [0, 0.3]) {
        expectLikeReference(
          KERNEL_NAMES.linearSoftmaxCrossEntropyGradient,
          { ...inputs, kernelTransposed },
          { labelSmoothing },
        );
      }
    },
  );

  it("agree with the reference on rows: gather, embedding gradient and blocks of a sequence", () => {
    const values = randomValues(3);
    const ids = tensor1d(
      Int32Array.from(values(200), (value) => Math.floor((value + 1) * 5)),
      "int32",
    );
    const gradient = tensor2d(values(200 * 13), [200, 13]);
    expectLikeReference(KERNEL_NAMES.embeddingGather, {
      table: tensor2d(values(10 * 13), [10, 13]),
      ids,
    });
    expectLikeReference(KERNEL_NAMES.embeddingGradient, { ids, gradient }, { vocabularySize: 10 });
    expectLikeReference(
      KERNEL_NAMES.sequenceRows,
      { sequence: reshape(gradient, [20, 10, 13]) },
      { firstStep: 3, numSteps: 16, firstRow: 2, numRows: 7 },
    );
    dispose(gradient);
  });
});
