import { join } from "node:path";
import { playSchedule } from "../conductor/index.js";
import type { Mutation } from "../mutations/index.js";
import type { Schedule } from "../schedule/index.js";
import { parametersOf, validate } from "../validator/index.js";
import type { Verdict } from "../validator/index.js";

export interface TrialResult extends Verdict {
  readonly seconds: number;
  readonly folder: string;
}

export interface Trial {
  /** @param mutation what is broken on purpose, but not in the run that it is compared with */
  run(schedule: Schedule, mutation?: Mutation): Promise<TrialResult>;
}

export interface TrialOptions {
  /** Each schedule has a folder in it. */
  readonly folder: string;
}

export function createTrial({ folder }: TrialOptions): Trial {
  const expected = new Map<string, Promise<string>>();
  let played = 0;
  /** One worker, and nothing happens. */
  const undisturbed = async ({ run, maxSteps = 0 }: Schedule, name: string): Promise<string> => {
    const alone = { seed: 0, run, workers: 1, isEncrypted: false, faults: [] };
    const { runDirectory, history } = await playSchedule(
      maxSteps === 0 ? alone : { ...alone, maxSteps },
      { folder: join(folder, name) },
    );
    const ended = history.events.find((event) => event.kind === "ended");
    if (ended?.outcome === "completed") return parametersOf(runDirectory);
    throw new Error(`the run ${run} without faults ${ended?.outcome}: ${ended?.reason}`);
  };
  return {
    run: async (schedule, mutation) => {
      const { seed, run, maxSteps = "all" } = schedule;
      const same = `expected-${run}-${maxSteps}`;
      const reference = expected.get(same) ?? undisturbed(schedule, same);
      expected.set(same, reference);
      const parametersSha256 = await reference;
      const startMs = performance.now();
      const name = `${String(++played).padStart(4, "0")}-seed-${seed}`;
      const result = await playSchedule(schedule, { folder: join(folder, name), mutation });
      const verdict = await validate(result, { parametersSha256 });
      return { ...verdict, seconds: (performance.now() - startMs) / 1000, folder: result.folder };
    },
  };
}
