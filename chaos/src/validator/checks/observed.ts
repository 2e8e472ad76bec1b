import { kindOf } from "../../faults/index.js";
import type { Signs } from "../../faults/index.js";
import { describeFault } from "../../schedule/index.js";
import type { ScheduledFault } from "../../schedule/index.js";
import type { Facts } from "../facts.js";
import { trainLeaseOf } from "../seen-events.js";

/** Every fault of the schedule took place, and the cluster noticed, in the name of the right worker. */
export function observed(facts: Facts): readonly string[] {
  return facts.schedule.faults.flatMap((fault) => {
    const problem = problemOf(facts, fault);
    return problem === undefined ? [] : [`${describeFault(fault)}: ${problem}`];
  });
}

function problemOf(facts: Facts, fault: ScheduledFault): string | undefined {
  const { events, schedule } = facts;
  const fired = events.find((event) => event.kind === "fired" && event.fault.id === fault.id);
  if (fired?.kind !== "fired") return "its moment never came";
  const isEvident = events.some((event) => event.kind === "evidence" && event.faultId === fault.id);
  if (!isEvident) return "nothing shows that it did what it is there for";
  const { shows, endsCoordinator } = kindOf(fault);
  if (shows.nothing === true) return undefined;
  const { workerId } = fired;
  // A sign is one of one fault: what several have in common must be there as often.
  const signKey = (other: ScheduledFault): string => JSON.stringify(kindOf(other).shows);
  const alike = schedule.faults.filter(
    (other) => signKey(other) === signKey(fault) && isOf(facts, other, workerId),
  );
  const upToIt = alike.slice(0, alike.indexOf(fault) + 1);
  // Two may end one life: a file that is torn while the coordinator, asked to stop, writes it.
  const endings = new Set(upToIt.map(({ id }) => lifeOf(facts, id)));
  const numSigns = signsOf(facts, shows, fired);
  if (numSigns >= (endsCoordinator === true ? endings.size : upToIt.length)) return undefined;
  const isOfProcess = shows.logLine !== undefined || shows.leaseGone === true;
  if (isOfProcess && endedWithLife(facts, workerId, lifeOf(facts, fault.id))) return undefined;
  return `the cluster did not notice (${JSON.stringify(shows)}, ${workerId || "the coordinator"}, ${numSigns})`;
}

/** In which of the coordinator's lives the fault was set off. */
function lifeOf({ lives }: Facts, id: number): number {
  return lives.findIndex(({ events }) =>
    events.some((event) => event.kind === "fired" && event.fault.id === id),
  );
}

/** A fault ended that life of the coordinator before anything came after the worker's stream: nobody was there to notice. */
function endedWithLife({ lives }: Facts, workerId: string, index: number): boolean {
  const life = lives[index];
  if (workerId === "" || life === undefined || index === lives.length - 1) return false;
  const closed = life.events.findIndex(
    (event) => event.kind === "streamClosed" && event.workerId === workerId,
  );
  return closed < 0 || !life.events.slice(closed).some((event) => trainLeaseOf(event));
}

function isOf({ events }: Facts, { id }: ScheduledFault, workerId: string): boolean {
  return events.some(
    (event) => event.kind === "fired" && event.fault.id === id && event.workerId === workerId,
  );
}

/** How often the cluster showed in this way that it noticed, and held this worker responsible. */
function signsOf(
  facts: Facts,
  signs: Signs,
  { workerId, fence, step }: { workerId: string; fence: number; step: number },
): number {
  const { log, ledger } = facts;
  const { rejections, leaseGone, logLine, skippedCheckpoint } = signs;
  if (rejections !== undefined) {
    const reasons: readonly string[] = rejections;
    return log.filter(
      ({ msg, worker, reason }) =>
        msg.startsWith("upload refused") && worker === workerId && reasons.includes(reason ?? ""),
    ).length;
  }
  if (leaseGone === true) return isLeaseGone(facts, workerId, fence) ? Infinity : 0;
  if (logLine !== undefined) {
    const pattern = new RegExp(
      logLine
        .replace("WORKER", `\\b${workerId}\\b`)
        // Until a worker's end is known, a step or two can begin.
        .replace("STEP", `\\bstep (${[0, 1, 2, 3].map((later) => step + later).join("|")})\\b`),
    );
    return log.filter(({ msg, level }) => level !== "debug" && pattern.test(msg)).length;
  }
  const resumes = ledger.filter((record) => record.type === "resume");
  if (skippedCheckpoint === true) return resumes.filter(({ skipped }) => skipped.length > 0).length;
  return resumes.length;
}

/** The lease was taken away, or its stream ended while others went on. */
function isLeaseGone({ events }: Facts, workerId: string, fence: number): boolean {
  return events.some((event, index) => {
    if (event.kind === "streamClosed" && event.workerId === workerId) {
      return events
        .slice(index)
        .some((later) => later.kind === "message" && later.message.kind === "lease");
    }
    if (event.kind !== "message" || event.workerId !== workerId) return false;
    return event.message.kind === "revoke" && event.message.fence === fence;
  });
}
