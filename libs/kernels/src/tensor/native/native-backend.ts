import {
  engine,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
  util,
} from "@tensorflow/tfjs-core";
import type { DataId, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";

import { BufferPool } from "./buffer-pool.js";

/** Bytes that wait to be used again, at most, or 16 of the longest array; a step of a large model has about as much. */
const POOL_LIMIT = 256 * 2 ** 20;

/** An array of the pool that is in use. */
interface Loan {
  readonly values: Float32Array;
  /** Tensors that have it or a view of it; one that somebody read never gives it back. */
  holders: number;
}

/**
 * tfjs's cpu backend, whose tensors are Float32Arrays, with a pool for those that our kernels make. An
 * array goes back to it when its tensor and all views of it are disposed of, unless somebody was given it.
 */
export class NativeBackend extends MathBackendCPU {
  readonly #pool = new BufferPool(POOL_LIMIT);
  readonly #loans = new Map<DataId, Loan>();

  constructor() {
    super();
    // Else its first tensor prints an advice to install tfjs-node.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  /** A new float32 tensor of arbitrary contents, tracked by the current scope. */
  allocate(shape: readonly number[]): Tensor {
    const values = this.#pool.take(shape.reduce((size, length) => size * length, 1));
    const info = this.makeTensorInfo([...shape], "float32", values);
    this.#loans.set(info.dataId, { values, holders: 1 });
    return engine().makeTensorFromTensorInfo(info, this);
  }

  /** A tensor of values that follow each other in another one, from its `first` on, in place. */
  view(of: TensorInfo, first: number, shape: readonly number[]): Tensor {
    const values = this.floats(of).subarray(first, first + util.sizeFromShape([...shape]));
    const info = this.makeTensorInfo([...shape], "float32", values);
    const loan = this.#loans.get(of.dataId);
    if (loan !== undefined) {
      loan.holders += 1;
      this.#loans.set(info.dataId, loan);
    }
    return engine().makeTensorFromTensorInfo(info, this);
  }

  /** New memory of arbitrary contents, of no tensor. */
  take(length: number): Float32Array {
    return this.#pool.take(length);
  }

  /** For new tensors; nobody reads or writes these values any more. */
  recycle(values: Float32Array): void {
    // A part of a buffer is a view of what somebody else has.
    if (values.byteLength === values.buffer.byteLength) this.#pool.giveBack(values);
  }

  /** The values in place: to be written to in a tensor that was just made alone. */
  floats(tensor: TensorInfo): Float32Array {
    return this.data.get(tensor.dataId).values as Float32Array;
  }

  floatsIf(tensor: TensorInfo | undefined): Float32Array | undefined {
    return tensor && this.floats(tensor);
  }

  integers(tensor: TensorInfo): Int32Array {
    return this.data.get(tensor.dataId).values as Int32Array;
  }

  override readSync(dataId: DataId): ReturnType<MathBackendCPU["readSync"]> {
    // Who reads it may keep it.
    this.#loans.delete(dataId);
    return super.readSync(dataId);
  }

  /**
   * Called after a kernel of tfjs's own: the results of some are views of what they were given, as are
   * the parts of a complex tensor.
   */
  letGoOfViewed(inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): void {
    for (const { dataId } of inputs) {
      const loan = this.#loans.get(dataId);
      const isViewed =
        loan !== undefined &&
        outputs.some((output) => {
          if (output.dtype === "complex64") return true;
          const { values } = this.data.get(output.dataId);
          return (
            output.dataId !== dataId &&
            ArrayBuffer.isView(values) &&
            values.buffer === loan.values.buffer
          );
        });
      if (isViewed) this.#loans.delete(dataId);
    }
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const isGone = super.disposeData(dataId, force);
    const loan = this.#loans.get(dataId);
    if (isGone && loan !== undefined) {
      this.#loans.delete(dataId);
      loan.holders -= 1;
      if (loan.holders === 0) this.#pool.giveBack(loan.values);
    }
    return isGone;
  }
}

/** Makes a backend known to tfjs, with the cpu backend's kernels: ours are registered over them. */
export function registerNativeBackend(name: string, ours: ReadonlySet<string>): void {
  registerBackend(name, () => new NativeBackend(), 0);
  for (const config of getKernelsForBackend("cpu")) {
    if (ours.has(config.kernelName)) continue;
    const { kernelFunc, ...rest } = config;
    registerKernel({
      ...rest,
      backendName: name,
      kernelFunc: (call) => {
        const outputs = kernelFunc(call);
        // Inputs may be a list, and some of them left out.
        const inputs = Object.values(call.inputs).filter((input) => input !== undefined);
        if (call.backend instanceof NativeBackend) {
          call.backend.letGoOfViewed(inputs, [outputs].flat());
        }
        return outputs;
      },
    });
  }
}
