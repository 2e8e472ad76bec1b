import { MICRO_SHARDS, tokensOf, trainingCases } from "../cases/index.js";
import type { MeasuredCase, TrainingStep } from "../cases/index.js";
import { backendSide } from "../sides/index.js";
import { compare } from "./context.js";
import type { RowCase, RowContext } from "./context.js";

const SMALL_BAR = 1.35;
const BAR = 1.2;
const BFLOAT16_BAR = 1.8;

/** A whole training step of a lone worker that is its own coordinator. */
export async function stepRow(context: RowContext): Promise<void> {
  const { backends, numThreads, pytorch } = context;
  await compare<MeasuredCase>("step", context, {
    cases: stepCases(context.isQuick),
    sides: [
      ...backends.map((backend) => backendSide(backend, numThreads)),
      ...(pytorch === undefined ? [] : [pytorch.side(numThreads)]),
    ],
    comparisons: (name) => ({
      own: backends,
      barOf(own) {
        if (own === "native-bfloat16") return BFLOAT16_BAR;
        return name === "Zaremba small" ? SMALL_BAR : BAR;
      },
    }),
  });
}

/** The trainings as steps, with the tokens of each. */
export function stepCases(
  isQuick: boolean,
  names?: Parameters<typeof trainingCases>[1],
): readonly RowCase<TrainingStep>[] {
  return trainingCases(isQuick, names).map(({ name, measured: training }) => {
    const measured = { kind: "trainingStep", microShards: MICRO_SHARDS, ...training } as const;
    const work = { unit: "tokens", amount: tokensOf(training) } as const;
    return { name, measured, sizes: measured, work };
  });
}
