/** What the gate of a step does to its round, and to the workers. */

import type { GateEffects } from "../gatekeeper/index.js";
import type { LeaseRecord } from "../leases/index.js";
import type { WorkerTable } from "../membership/index.js";
import type { WorkerSession } from "../sessions/index.js";
import type { CurrentRound } from "./current-round.js";
import type { Discipline } from "./discipline.js";
import type { Intake } from "./intake.js";
import type { TrainRound } from "./train-round.js";

export interface GateEffectsModules extends Pick<
  GateEffects,
  "describeSamples" | "notify" | "dispatch"
> {
  readonly workers: WorkerTable<WorkerSession>;
  readonly intake: Intake;
  readonly discipline: Discipline;
  /** Workers that will take a lease, now or soon. */
  readonly others: () => readonly string[];
  readonly revoke: (fence: number, reason: string) => void;
  /** These leases are complete now; `fence` is the one whose result made them so. */
  readonly completed: (leases: readonly LeaseRecord[], fence: number) => void;
}

function expulsion(
  step: number,
  workerId: string,
  own: readonly number[],
  others: readonly number[],
): string {
  const leaves = (numbers: readonly number[]): string =>
    `${numbers.length === 1 ? "leaf" : "leaves"} ${numbers.join(", ")}`;
  const more =
    others.length === 0 ? "" : `, and with it what it is in a sum with: ${leaves(others)}`;
  return (
    `step ${step}: what else ${workerId} computed does not count: ${leaves(own)}${more}; all of that ` +
    "is computed again"
  );
}

export function gateEffects(
  current: CurrentRound,
  round: TrainRound,
  modules: GateEffectsModules,
): GateEffects {
  const { workers, intake, discipline, others, completed } = modules;
  const { describeSamples, notify, dispatch, revoke } = modules;
  return {
    ...{ describeSamples, notify, dispatch, revoke },
    admit: (result) => {
      intake.admit(current, round, result);
    },
    hold: ({ upload, fence }) => {
      completed(round.hold(upload, fence), fence);
    },
    drop: ({ upload: { node }, workerId, fence }) => {
      round.drop({ node, workerId, fence }, "nobody could tell whether it is right");
    },
    isAnybodyHere: () => others().length > 0,
    electorate: (like) => {
      const profile = workers.get(like)?.profile;
      return () =>
        others().filter((id) => {
          // With `determinism: relaxed` others compute other bits, and are not to blame for it.
          const { digest, version } = workers.get(id)?.profile ?? {};
          return digest === profile?.digest && version === profile?.version;
        });
    },
    accuse: ({ workerId, fence, leaves, reason }) => {
      round.lost.push({ worker: workerId, fence, leaves, reason });
      discipline.accuse(workerId, reason);
    },
    expel: (workerId, held) => {
      const results = held.map(({ upload: { node }, fence }) => ({ node, workerId, fence }));
      const { own, others } = round.expel(workerId, results);
      if (own.length > 0) notify("warn", expulsion(round.step, workerId, own, others));
      return [...own, ...others];
    },
    nonFinite: (node, detail) => {
      current.end({ kind: "nonFinite", node, detail });
    },
    fail: (error) => {
      current.fail(error);
    },
  };
}
