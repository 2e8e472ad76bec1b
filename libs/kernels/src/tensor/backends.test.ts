import { engine, memory, tensor1d, tensor2d, tensor3d, zeros } from "@tensorflow/tfjs-core";
import type { Rank, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { describe, expect, it, vi } from "vitest";

import { allBackends } from "../../test/support/backends.js";
import { backendProperties, selectBackend, selectedBackend } from "./backends.js";
import type { BackendName } from "./backends.js";
import { KernelError } from "./kernel-error.js";
import {
  gruSequenceForward,
  lstmSequenceBackward,
  lstmSequenceForward,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  matMulBias,
  sequenceRows,
} from "./contract/index.js";

const fatalErrorHandlers = (): unknown[] =>
  ["uncaughtException", "unhandledRejection"].map((event) => process.listeners(event as "exit"));
/** Before any backend is loaded. */
const handlersAtFirst = fatalErrorHandlers();

describe("selectBackend", () => {
  it.each(allBackends)("makes %s the backend of new tensors, and prints nothing", async (name) => {
    const warn = vi.spyOn(console, "warn");
    await selectBackend(name);
    expect(selectedBackend()).toBe(name);
    const tensor = tensor1d([1]);
    expect(tensor.dataSync()[0]).toBe(1);
    tensor.dispose();
    expect(engine().backendName).toBe(name);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it("leaves the process's handlers of fatal errors as they were", async () => {
    await selectBackend("cpu");
    await selectBackend("wasm");
    expect(fatalErrorHandlers()).toEqual(handlersAtFirst);
  });

  it("names a backend that is not there, and stays on the one before", async () => {
    await selectBackend("wasm");
    const selection = selectBackend("abacus" as BackendName);
    await expect(selection).rejects.toThrow(KernelError);
    await expect(selection).rejects.toMatchObject({
      code: "backendUnavailable",
      message: expect.stringMatching(/'abacus'.*known: native, wasm, cpu, native-bfloat16/),
    });
    expect(selectedBackend()).toBe("wasm");
  });
});

describe("backendProperties", () => {
  it.each(allBackends)("says what %s computes with", async (name) => {
    await selectBackend(name);
    const { instructionSet, isThreaded } = await backendProperties();
    const known = {
      native: ["portable", "avx2", "avx512", "neon"],
      "native-bfloat16": ["portable", "avx2", "avx512", "neon"],
      wasm: ["simd", "scalar"],
      cpu: ["JavaScript"],
    };
    expect(known[name]).toContain(instructionSet);
    expect(isThreaded).toBe(name.startsWith("native"));
  });
});

describe.each(allBackends)("a kernel on %s", (name) => {
  const numSteps = 40;
  const sequenceInputs = (): {
    inputGates: Tensor3D;
    recurrentKernel: Tensor2D;
    initialHidden: Tensor2D;
    initialCell: Tensor2D;
  } => ({
    inputGates: zeros([numSteps, 2, 12]),
    recurrentKernel: zeros([3, 12]),
    initialHidden: zeros([2, 3]),
    initialCell: zeros([2, 3]),
  });

  it("reports at least every 16 time steps, and each last one", async () => {
    await selectBackend(name);
    engine().startScope();
    const forward: number[] = [];
    const backward: number[] = [];
    const sequence = lstmSequenceForward({
      ...sequenceInputs(),
      onTimeSteps: (done) => forward.push(done),
    });
    lstmSequenceBackward({
      ...sequence,
      hiddenGradient: zeros([numSteps, 2, 3]),
      recurrentKernelTransposed: zeros([12, 3]),
      onTimeSteps: (done) => backward.push(done),
    });
    expect(forward).toEqual([16, 32, 40]);
    expect(backward).toEqual([16, 32, 40]);
    engine().endScope();
  });

  it("leaves nothing allocated but its outputs, and nothing at all when stopped", async () => {
    await selectBackend(name);
    engine().startScope();
    const inputs = sequenceInputs();
    const before = memory();
    const sequence = lstmSequenceForward(inputs);
    expect(memory().numTensors).toBe(before.numTensors + 4);
    for (const tensor of Object.values(sequence) as Tensor3D[]) tensor.dispose();
    expect(memory()).toEqual(before);
    const stop = (): never => {
      throw new Error("stopped");
    };
    expect(() => lstmSequenceForward({ ...inputs, onTimeSteps: stop })).toThrow("stopped");
    expect(memory()).toEqual(before);
    engine().endScope();
  });

  it("refuses shapes that do not fit, naming the kernel, the tensor and both shapes", async () => {
    await selectBackend(name);
    engine().startScope();
    const inputs = { ...sequenceInputs(), initialCell: tensor2d([[1, 2, 3]]) };
    expect(() => lstmSequenceForward(inputs)).toThrow(
      new KernelError(
        "invalidShape",
        "OstinatoLstmSequenceForward: initialCell has shape [1, 3], expected [2, 3]",
      ),
    );
    expect(() => matMulBias(tensor2d([[1, 2]]), tensor2d([[1]]))).toThrow(
      "OstinatoMatMulBias: rows has shape [1, 2], expected [1, 1]",
    );
    const block = { firstStep: 1, numSteps: 2, firstRow: 0, numRows: 1 };
    expect(() => sequenceRows(tensor3d([[[1]], [[2]]]), block)).toThrow(
      "OstinatoSequenceRows: block of 2 steps from 1 leaves the tensor's 2 steps",
    );
    engine().endScope();
  });

  it("refuses options that do not fit each other", async () => {
    await selectBackend(name);
    engine().startScope();
    const [T, B, H] = [2, 1, 3];
    expect(() =>
      gruSequenceForward({
        inputGates: zeros([T, B, 3 * H]),
        recurrentKernel: zeros([H, 3 * H]),
        candidateBias: zeros([H]),
        resetAfter: false,
        initialHidden: zeros([B, H]),
      }),
    ).toThrow(
      "OstinatoGruSequenceForward: candidateBias is given, expected none without resetAfter",
    );
    const peephole: Tensor2D = zeros([3, H]);
    const forward = {
      inputGates: zeros<Rank.R3>([T, B, 3 * H]),
      recurrentKernel: zeros<Rank.R2>([H, 3 * H]),
      coupledGates: true,
      initialHidden: zeros<Rank.R2>([B, H]),
      initialCell: zeros<Rank.R2>([B, H]),
    };
    expect(() => lstmVariantSequenceForward({ ...forward, peephole })).toThrow(
      "OstinatoLstmVariantSequenceForward: peephole has shape [3, 3], expected [2, 3]",
    );
    const sequence = lstmVariantSequenceForward(forward);
    expect(() =>
      lstmVariantSequenceBackward({
        ...sequence,
        coupledGates: true,
        layerNorm: {
          recurrentGain: zeros([3 * H]),
          cellGain: zeros([H]),
          cellBias: zeros([H]),
          epsilon: 1e-5,
        },
        hiddenGradient: zeros([T, B, H]),
        recurrentKernelTransposed: zeros([3 * H, H]),
      }),
    ).toThrow(
      "OstinatoLstmVariantSequenceBackward: with layerNorm, what the forward pass normalized is missing",
    );
    engine().endScope();
  });
});
