import type { TrainingStep } from "../cases/index.js";
import { asStep, backendSide } from "../sides/index.js";
import type { Side } from "../sides/index.js";
import { compare } from "./context.js";
import type { RowContext } from "./context.js";
import { stepCases } from "./step-row.js";

const BAR = 0.9;

/** What it costs a worker to hold several leaves: the same step with its batch cut into eight, and with one. */
export async function leavesRow(context: RowContext): Promise<void> {
  for (const backend of context.backends) {
    const [several, one] = [8, 1].map((leaves) => sideOf(context, backend, leaves)) as [Of, Of];
    await compare<TrainingStep>("leaves", context, {
      cases: stepCases(context.isQuick),
      sides: [several, one],
      comparisons: () => ({ own: [several.name], barOf: () => BAR }),
    });
  }
}

type Of = Side<TrainingStep>;

function sideOf({ numThreads }: RowContext, backend: string, microShards: number): Of {
  const name = `${backend}, ${microShards} ${microShards === 1 ? "leaf" : "leaves"}`;
  return asStep(backendSide(backend, numThreads), name, (step) => ({ ...step, microShards }));
}
