/** Tensors of the tfjs wasm backend as typed arrays on its heap: read and written without a copy. */
import { engine } from "@tensorflow/tfjs-core";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";

/** What we use of tfjs-backend-wasm's BackendWasm, whose own types would need the package here. */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: "float32"): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array;
}

/** A new float32 tensor with arbitrary contents, tracked by the current tidy scope. */
export function allocate(backend: WasmBackend, shape: readonly number[]): Tensor {
  return engine().makeTensorFromTensorInfo(backend.makeOutput([...shape], "float32"));
}

/**
 * The values of a float32 tensor in place. Any later allocation may grow the heap and detach the
 * view, so take it anew after each tfjs op. Write only to tensors that are not yet handed out, and
 * never to one that was the right operand of a product: XNNPACK keeps those packed.
 */
export function floats(backend: WasmBackend, tensor: Tensor): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** The values of an int32 tensor in place; see {@link floats}. */
export function integers(backend: WasmBackend, tensor: Tensor): Int32Array {
  return backend.typedArrayFromHeap(tensor) as Int32Array;
}
