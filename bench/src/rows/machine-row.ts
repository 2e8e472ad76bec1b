import type { MatrixProduct, MeasuredCase, MemoryCopy } from "../cases/index.js";
import { backendSide } from "../sides/index.js";
import { NUM_VALUES, QUICK_NUM_VALUES, TransportSide, VALUE_BYTES } from "../transport/index.js";
import type { RowCase, RowContext } from "./context.js";
import { compare } from "./context.js";

/** Rows, inner, columns: a time step of Zaremba small and medium, the softmax's block, and a peak. */
const PRODUCTS = [
  [20, 200, 800],
  [20, 650, 2600],
  [64, 200, 10_000],
  [1024, 1024, 1024],
] as const;
const QUICK_PRODUCTS = [[8, 8, 8]] as const;
const COPIED_BYTES = 256 << 20;
const QUICK_COPIED_BYTES = 1 << 20;

/** What bounds the rest: matrix products, memory, loopback. */
export async function machineRow(context: RowContext): Promise<void> {
  const { backends, numThreads, pytorch, isQuick } = context;
  await compare<MeasuredCase>("machine", context, {
    cases: [...products(isQuick ? QUICK_PRODUCTS : PRODUCTS), copy(isQuick)],
    sides: [
      ...backends.map((backend) => backendSide(backend, numThreads)),
      ...(pytorch === undefined ? [] : [pytorch.side(numThreads)]),
    ],
    comparisons: () => ({ own: backends }),
  });
  const numValues = isQuick ? QUICK_NUM_VALUES : NUM_VALUES;
  await compare("machine", context, {
    cases: [
      {
        name: "loopback",
        ...{ measured: { numValues }, sizes: { numValues } },
        // There and back again.
        work: { unit: "MB", amount: (2 * numValues * VALUE_BYTES) / 1e6 },
      },
    ],
    sides: [new TransportSide("plain TCP socket", { kind: "raw" })],
    comparisons: () => ({ own: [] }),
  });
}

function products(
  sizes: readonly (readonly [number, number, number])[],
): readonly RowCase<MatrixProduct>[] {
  return sizes.map(([rows, inner, columns]) => {
    const measured = { kind: "matrixProduct", rows, inner, columns } as const;
    return {
      name: `matrix product ${rows}×${inner}×${columns}`,
      ...{ measured, sizes: measured },
      work: { unit: "GFLOP", amount: (2 * rows * inner * columns) / 1e9 },
    };
  });
}

function copy(isQuick: boolean): RowCase<MemoryCopy> {
  const bytes = isQuick ? QUICK_COPIED_BYTES : COPIED_BYTES;
  const measured = { kind: "memoryCopy", bytes } as const;
  return {
    name: "memory copy",
    ...{ measured, sizes: measured },
    // Each byte is read and written.
    work: { unit: "MB", amount: (2 * bytes) / 1e6 },
  };
}
