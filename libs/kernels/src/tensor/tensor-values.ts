/** Values that go into tensors and come out of them without new memory, where the backend can. */
import { backend, tensor } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

/** What a backend has whose tensors are arrays of its own pool. */
interface PooledBackend {
  allocate(shape: readonly number[]): Tensor;
  floats(tensor: Tensor): Float32Array;
  take(length: number): Float32Array;
  recycle(values: Float32Array): void;
}

/** A new float32 tensor with a copy of the values, tracked by the current scope. */
export function tensorOf(values: Float32Array, shape: readonly number[]): Tensor {
  const pooled = pooledBackend();
  // Others keep the array that they are given.
  if (pooled === undefined) return tensorInPlace(values.slice(), shape);
  const made = pooled.allocate(shape);
  pooled.floats(made).set(values);
  return made;
}

/**
 * A new float32 tensor that reads the values where they are, where the backend can; tracked by the current scope.
 * They stay as they are for as long as it is there.
 */
export function tensorInPlace(values: Float32Array, shape: readonly number[]): Tensor {
  return tensor(values, [...shape]);
}

/**
 * The values of several arrays one after the other. Theirs, which were read from tensors that nobody reads any
 * more, are memory for tensors to come.
 */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const pooled = pooledBackend();
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const values = pooled?.take(length) ?? new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  recycle(parts);
  return values;
}

/**
 * Gives arrays that were read from tensors back to the backend, for tensors to come. The caller has no use for
 * them any more, and the tensors that they were read from are disposed of. Each array at most once.
 */
export function recycle(arrays: Iterable<Float32Array>): void {
  const pooled = pooledBackend();
  if (pooled === undefined) return;
  for (const values of arrays) pooled.recycle(values);
}

function pooledBackend(): PooledBackend | undefined {
  const found = backend() as Partial<PooledBackend>;
  return found.recycle === undefined ? undefined : (found as PooledBackend);
}
