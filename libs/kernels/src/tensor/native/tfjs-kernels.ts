/** Kernels of tfjs itself that are our own as well: what has no kernel of its own is composed of them. */
import { broadcast_util } from "@tensorflow/tfjs-core";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";

import { nativeAddon } from "./addon.js";
import { slice, tile } from "./copies.js";
import { oneLeaf } from "./kernel-call.js";
import type { Call } from "./kernel-call.js";
import { onCpu } from "./on-cpu.js";

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** tfjs's own product, of which what has no kernel of its own is composed. */
function batchMatMul(call: Call<{ a: Tensor; b: Tensor }, MatMulAttributes>): Tensor {
  const {
    inputs: { a, b },
    attrs: { transposeA, transposeB },
    backend,
  } = call;
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [numRows, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const columns = transposeB ? rowsB : columnsB;
  const [batchA, batchB] = [a, b].map(({ size }) => size) as [number, number];
  const outer = broadcast_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  const product = backend.allocate([...outer, numRows, columns]);
  const count = outer.reduce((total, length) => total * length, 1);
  const [sizeA, sizeB] = [rowsA * columnsA, rowsB * columnsB];
  for (let n = 0; n < count; n++) {
    const partOf = (values: Float32Array, size: number, all: number): Float32Array =>
      values.subarray((n * size) % all, ((n * size) % all) + size);
    const left = partOf(backend.floats(a), sizeA, batchA);
    const right = partOf(backend.floats(b), sizeB, batchB);
    const size = numRows * columns;
    const out = backend.floats(product).subarray(n * size, (n + 1) * size);
    if (!transposeA) {
      nativeAddon().matMulBias(left, right, null, out, numRows, inner, columns, transposeB);
    } else {
      const plain = transposeB ? transposed(right, rowsB, columnsB) : right;
      const [all, root] = oneLeaf(inner);
      nativeAddon().linearGradient(
        left,
        null,
        plain,
        all,
        root,
        out,
        null,
        1,
        inner,
        numRows,
        0,
        columns,
      );
    }
  }
  return product;
}

function transposed(values: Float32Array, numRows: number, numColumns: number): Float32Array {
  const result = new Float32Array(values.length);
  nativeAddon().transpose({ matrix: values, numRows, numColumns, transposed: result });
  return result;
}

/** Of a float32 matrix; tfjs's own of anything else. */
function transpose(call: Call<{ x: Tensor }, { perm: readonly number[] }>): TensorInfo {
  const {
    inputs: { x },
    attrs: { perm },
    backend,
  } = call;
  if (x.dtype !== "float32" || x.rank !== 2 || perm[0] !== 1) return onCpu(call, "Transpose");
  const [numRows, numColumns] = x.shape as [number, number];
  const result = backend.allocate([numColumns, numRows]);
  nativeAddon().transpose({
    matrix: backend.floats(x),
    numRows,
    numColumns,
    transposed: backend.floats(result),
  });
  return result;
}

export const TFJS_KERNELS = {
  BatchMatMul: batchMatMul,
  Slice: slice,
  Tile: tile,
  Transpose: transpose,
} as const;
