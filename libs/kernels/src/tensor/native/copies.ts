/** tfjs kernels that only move values: its own read and write them one by one, by an array of indices for each. */
import { slice_util, util } from "@tensorflow/tfjs-core";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";

import type { Call } from "./kernel-call.js";
import { onCpu } from "./on-cpu.js";

interface SliceAttributes {
  readonly begin: number | number[];
  readonly size: number | number[];
}

/** A part of a float32 tensor, a view where its values follow each other; tfjs's own of anything else. */
export function slice(call: Call<{ x: Tensor }, SliceAttributes>): TensorInfo {
  const {
    inputs: { x },
    attrs,
    backend,
  } = call;
  const [begin, size] = slice_util.parseSliceParams(x, attrs.begin, attrs.size) as [
    number[],
    number[],
  ];
  slice_util.assertParamsValid(x, begin, size);
  const numValues = util.sizeFromShape(size);
  if (x.dtype !== "float32" || numValues === 0) {
    const output = onCpu(call, "Slice");
    backend.letGoOfViewed([x], [output]);
    return output;
  }
  const strides = util.computeStrides(x.shape).concat(1);
  if (slice_util.isSliceContinous(x.shape, begin, size)) {
    return backend.view(x, slice_util.computeFlatOffset(begin, strides), size);
  }
  // Behind the last axis that is cut, values follow each other: they are copied at once.
  let axis = x.rank - 1;
  while (size[axis] === x.shape[axis]) axis -= 1;
  const block = size[axis]! * strides[axis]!;
  const result = backend.allocate(size);
  const [from, to] = [backend.floats(x), backend.floats(result)];
  const index = begin.slice(0, axis);
  for (let written = 0; written < numValues; written += block) {
    let start = begin[axis]! * strides[axis]!;
    for (const [outer, at] of index.entries()) start += at * strides[outer]!;
    copyBlock(from, start, to, written, block);
    for (let outer = axis - 1; outer >= 0; outer--) {
      index[outer]! += 1;
      if (index[outer]! < begin[outer]! + size[outer]!) break;
      index[outer] = begin[outer]!;
    }
  }
  return result;
}

/** A float32 tensor repeated along its axes; tfjs's own of anything else. */
export function tile(call: Call<{ x: Tensor }, { readonly reps: readonly number[] }>): TensorInfo {
  const {
    inputs: { x },
    attrs: { reps },
    backend,
  } = call;
  const shape = x.shape.map((length, axis) => length * reps[axis]!);
  const isEmpty = shape.includes(0);
  const axes = shape.map((_, axis) => axis).filter((axis) => reps[axis] !== 1);
  const first = axes[0];
  if (x.dtype !== "float32" || isEmpty || first === undefined) {
    const output = onCpu(call, "Tile");
    backend.letGoOfViewed([x], [output]);
    return output;
  }
  const result = backend.allocate(shape);
  let values = backend.floats(x);
  let block = 1;
  for (let axis = x.rank - 1; axis >= first; axis--) {
    block *= x.shape[axis]!;
    const times = reps[axis]!;
    if (times === 1) continue;
    const tiled = axis === first ? backend.floats(result) : new Float32Array(values.length * times);
    for (let start = 0; start < values.length; start += block) {
      for (let n = 0; n < times; n++) {
        copyBlock(values, start, tiled, start * times + n * block, block);
      }
    }
    values = tiled;
    block *= times;
  }
  return result;
}

/** Below it a loop is quicker than a view and a call. */
const SHORT_BLOCK = 16;

function copyBlock(
  from: Float32Array,
  start: number,
  to: Float32Array,
  target: number,
  length: number,
): void {
  if (length > SHORT_BLOCK) {
    to.set(from.subarray(start, start + length), target);
    return;
  }
  for (let n = 0; n < length; n++) to[target + n] = from[start + n]!;
}
