/** Says in the run directory where this coordinator can be reached, for `ostinato status`. */

import type { CoordinatorEndpoints } from "@ostinato/run";
import { removeEndpoints, RunError, writeEndpoints } from "@ostinato/run";
import type { Logger } from "@ostinato/runtime";
import type { OpenRun } from "./open-run.js";

/**
 * A file that cannot be written costs a convenience, and is told.
 *
 * @returns takes the file back, at the end of this coordinator
 */
export async function announceEndpoints(
  { directory, job, incarnation }: Pick<OpenRun, "directory" | "job" | "incarnation">,
  endpoints: Omit<CoordinatorEndpoints, "job" | "incarnation">,
  logger: Logger,
): Promise<() => Promise<void>> {
  try {
    await writeEndpoints(directory, { job, incarnation, ...endpoints });
  } catch (error) {
    logger.warn({ err: error }, "endpoints.json can't be written: status needs the address then");
  }
  return async () => {
    try {
      await removeEndpoints(directory);
    } catch (error) {
      // By now they are those of the coordinator that has the run.
      if (!(error instanceof RunError) || error.code !== "incarnationLost") throw error;
    }
  };
}
