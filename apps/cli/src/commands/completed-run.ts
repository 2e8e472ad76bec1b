import { openRunDirectory } from "@ostinato/run";
import type { RunEnd } from "@ostinato/run";

/**
 * The end of a run that is to be resumed and has nothing left to do, with a sentence that says so;
 * undefined if it has not come to its end.
 *
 * @throws RunError 'notARun', and what reading throws
 */
export async function completedRun(
  runDirectory: string | undefined,
): Promise<{ readonly end: RunEnd; readonly text: string } | undefined> {
  if (runDirectory === undefined) return undefined;
  const end = await (await openRunDirectory(runDirectory)).readEnd();
  if (end === undefined) return undefined;
  return {
    end,
    text: `${runDirectory}: the run is complete at step ${end.step}; nothing to resume`,
  };
}
