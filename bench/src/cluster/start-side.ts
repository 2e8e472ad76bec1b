import type { LocalRun } from "./local-run.js";
import { RunSide } from "./run-side.js";
import type { RunSideOptions } from "./run-side.js";

/** From the command to the first committed step. */
export class StartSide extends RunSide {
  constructor(options: RunSideOptions) {
    super(options, "start");
  }

  protected async timed(run: LocalRun): Promise<number> {
    const { atMs } = await run.nextStep();
    return atMs - run.startedAtMs;
  }
}
