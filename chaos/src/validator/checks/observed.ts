import { kindOf } from "../../faults/index.js";
import type { Signs } from "../../faults/index.js";
import { describeFault } from "../../schedule/index.js";
import type { ScheduledFault } from "../../schedule/index.js";
import type { Facts } from "../facts.js";

/** Every fault of the schedule took place, and the cluster noticed, in the name of the right worker. */
export function observed(facts: Facts): readonly string[] {
  return facts.schedule.faults.flatMap((fault) => {
    const problem = problemOf(facts, fault);
    return problem === undefined ? [] : [`${describeFault(fault)}: ${problem}`];
  });
}

function problemOf(facts: Facts, fault: ScheduledFault): string | undefined {
  const { events } = facts;
  const fired = events.find((event) => event.kind === "fired" && event.fault.id === fault.id);
  if (fired?.kind !== "fired") return "its moment never came";
  const isEvident = events.some((event) => event.kind === "evidence" && event.faultId === fault.id);
  if (!isEvident) return "nothing shows that it did what it is there for";
  const { shows } = kindOf(fault);
  return isNoticed(facts, shows, fired.workerId, fired.fence)
    ? undefined
    : `the cluster did not notice (${JSON.stringify(shows)}, ${fired.workerId})`;
}

function isNoticed(facts: Facts, signs: Signs, workerId: string, fence: number): boolean {
  const { log, events, ledger } = facts;
  const { rejections, leaseGone, logLine, resume, skippedCheckpoint, nothing } = signs;
  if (nothing === true) return true;
  if (rejections !== undefined) {
    const reasons: readonly string[] = rejections;
    return log.some(
      ({ msg, worker, reason }) =>
        msg.startsWith("upload refused") && worker === workerId && reasons.includes(reason ?? ""),
    );
  }
  if (leaseGone === true) {
    return events.some(
      (event) =>
        (event.kind === "message" &&
          event.workerId === workerId &&
          event.message.kind === "revoke" &&
          event.message.fence === fence) ||
        (event.kind === "streamClosed" && event.workerId === workerId),
    );
  }
  if (logLine !== undefined) {
    const pattern = new RegExp(logLine.replace("WORKER", `\\b${workerId}\\b`));
    return log.some(({ msg, level }) => level !== "debug" && pattern.test(msg));
  }
  const resumes = ledger.filter((record) => record.type === "resume");
  if (skippedCheckpoint === true) return resumes.some(({ skipped }) => skipped.length > 0);
  return resume === true && resumes.length > 0;
}
