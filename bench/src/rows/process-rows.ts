/** What a person waits for: the first step, and the next one after a death. */
import { join } from "node:path";

import type { TrainingName } from "../cases/index.js";
import { DEFAULT_EXAMPLE, RecoverySide, StartSide, writeTrainingFiles } from "../cluster/index.js";
import { compare } from "./context.js";
import type { RowContext } from "./context.js";
import { stepCases } from "./step-row.js";

const NUM_WORKERS = 2;
const START_BAR_MS = 3000;
const RECOVERY_BAR_MS = 1000;
const RECOVERY_TRAINING: TrainingName = "char128";

/** From the command to the first committed step, of the example that `npm start` trains. */
export async function startRow(context: RowContext): Promise<void> {
  const { backends, folder } = context;
  await compare("start", context, {
    cases: [{ name: "moby-dick", measured: DEFAULT_EXAMPLE, sizes: {}, work: null }],
    sides: backends.map(
      (backend) =>
        new StartSide({
          name: backend,
          backend,
          numWorkers: NUM_WORKERS,
          folder: join(folder, "start"),
        }),
    ),
    comparisons: () => ({ own: backends, barMs: START_BAR_MS }),
  });
}

/** From the SIGKILL of one of two workers to the next committed step. */
export async function recoveryRow(context: RowContext): Promise<void> {
  const { backends, folder, isQuick } = context;
  const [training] = stepCases(isQuick, [RECOVERY_TRAINING]);
  if (training === undefined) return;
  const config = writeTrainingFiles(join(folder, "recovery"), training.measured);
  await compare("recovery", context, {
    cases: [{ name: training.name, measured: config, sizes: training.sizes, work: null }],
    sides: backends.map(
      (backend) =>
        new RecoverySide({
          name: backend,
          ...{ backend, numWorkers: NUM_WORKERS },
          folder: join(folder, "recovery"),
        }),
    ),
    comparisons: () => ({ own: backends, barMs: RECOVERY_BAR_MS }),
  });
}
