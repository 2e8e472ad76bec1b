import { operationsOf, recurrentCases } from "../cases/index.js";
import type { MeasuredCase } from "../cases/index.js";
import { backendSide } from "../sides/index.js";
import { compare } from "./context.js";
import type { RowContext } from "./context.js";

const BAR = 1.15;
const BFLOAT16_BAR = 1.7;

/** The recurrent kernels alone, forward and backward. */
export async function kernelRow(context: RowContext): Promise<void> {
  const { backends, numThreads, pytorch } = context;
  await compare<MeasuredCase>("kernel", context, {
    cases: recurrentCases(context.isQuick).map(({ name, measured }) => ({
      ...{ name, measured, sizes: measured },
      work: { unit: "GFLOP", amount: operationsOf(measured) / 1e9 },
    })),
    sides: [
      ...backends.map((backend) => backendSide(backend, numThreads)),
      ...(pytorch === undefined ? [] : [pytorch.side(numThreads)]),
    ],
    comparisons: () => ({
      own: backends,
      barOf: (own) => (own === "native-bfloat16" ? BFLOAT16_BAR : BAR),
    }),
  });
}
