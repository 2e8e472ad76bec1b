import {
  engine,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
} from "@tensorflow/tfjs-core";
import type { DataId, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";

import { BufferPool } from "./buffer-pool.js";

/** What waits to be used again, at most; a step of a large model has about as much. */
const POOL_LIMIT = 256 * 2 ** 20;

/**
 * tfjs's cpu backend, whose tensors are Float32Arrays, with a pool for those that our kernels make. An
 * array goes back to it when its tensor is disposed of, unless somebody was given it or a view of it.
 */
export class NativeBackend extends MathBackendCPU {
  readonly #pool = new BufferPool(POOL_LIMIT);
  /** Arrays of the pool that are in use. */
  readonly #lent = new Map<DataId, Float32Array>();

  constructor() {
    super();
    // Else its first tensor prints an advice to install tfjs-node.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  /** A new float32 tensor of arbitrary contents, tracked by the current scope. */
  allocate(shape: readonly number[]): Tensor {
    const values = this.#pool.take(shape.reduce((size, length) => size * length, 1));
    const info = this.makeTensorInfo([...shape], "float32", values);
    this.#lent.set(info.dataId, values);
    return engine().makeTensorFromTensorInfo(info, this);
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
    this.#lent.delete(dataId);
    return super.readSync(dataId);
  }

  /**
   * Called after a kernel of tfjs's own: the results of some are views of what they were given, as are
   * the parts of a complex tensor.
   */
  letGoOfViewed(inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): void {
    for (const { dataId } of inputs) {
      const lent = this.#lent.get(dataId);
      const isViewed =
        lent !== undefined &&
        outputs.some((output) => {
          if (output.dtype === "complex64") return true;
          const { values } = this.data.get(output.dataId);
          return (
            output.dataId !== dataId && ArrayBuffer.isView(values) && values.buffer === lent.buffer
          );
        });
      if (isViewed) this.#lent.delete(dataId);
    }
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const isGone = super.disposeData(dataId, force);
    const lent = this.#lent.get(dataId);
    if (isGone && lent !== undefined) {
      this.#lent.delete(dataId);
      this.#pool.giveBack(lent);
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
