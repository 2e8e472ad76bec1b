import { openRunDirectory, requireSameTrajectory, RunError } from "@ostinato/run";
import type { RunConfig, RunEnd } from "@ostinato/run";

/**
 * The end of a run that is to be resumed and has nothing left to do, with a sentence that says so;
 * undefined if it has not come to its end.
 *
 * @param config that the resume was asked for with; it may not ask for another result, whether or not the run
 *   has come to its end
 * @throws RunError 'notARun', 'trajectoryChanged', and what reading throws
 */
export async function completedRun(
  runDirectory: string | undefined,
  config: RunConfig,
): Promise<{ readonly end: RunEnd; readonly text: string } | undefined> {
  if (runDirectory === undefined) return undefined;
  const run = await openRunDirectory(runDirectory);
  try {
    requireSameTrajectory(run.config, config);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const hint = "with neither CONFIG nor that key in --set it goes on as it was begun";
    throw new RunError(error.code, `${error.message}; ${hint}`, { cause: error });
  }
  const end = await run.readEnd();
  if (end === undefined) return undefined;
  return {
    end,
    text: `${runDirectory}: the run is complete at step ${end.step}; nothing to resume`,
  };
}
