/** The end of a coordinator in which an error came up that nobody caught. */

import type { Clock, Logger, StrayErrorSource } from "@ostinato/runtime";
import { watchStrayErrors } from "@ostinato/runtime";
import { CoordinatorError } from "./errors/index.js";

export interface LastWordsModules {
  readonly source: StrayErrorSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the run with this error: workers and watchers are told, files closed, and the process ends. */
  readonly fail: (error: CoordinatorError) => void;
  /** Ends the process at once. */
  readonly exit: () => void;
}

/**
 * Ends the run as failed: no checkpoint is written, as what is in memory cannot be trusted any more. The
 * newest checkpoint is there to go on from.
 *
 * @param limitMs what takes longer is cut short
 * @returns stops watching
 */
export function sayLastWords(limitMs: number, modules: LastWordsModules): () => void {
  const { source, clock, logger, fail, exit } = modules;
  return watchStrayErrors(source, {
    onFirst: (error) => {
      const message = error instanceof Error ? error.message : String(error);
      const text = `unexpected: ${message.trim().replace(/\s*\n\s*/g, " ")}`;
      logger.fatal({ err: error }, text);
      clock.setTimer(limitMs, exit);
      fail(
        new CoordinatorError("internal", `${text}; the newest checkpoint is kept`, {
          cause: error,
        }),
      );
    },
    onFurther: (error) => {
      logger.fatal({ err: error }, "unexpected, while ending because of the one before");
      exit();
    },
  });
}
