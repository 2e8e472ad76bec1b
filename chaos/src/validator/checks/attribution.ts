import { kindOf } from "../../faults/index.js";
import type { Facts, LogLine } from "../facts.js";

const ID = "(worker-\\d+-\\d+)";

/** What the coordinator says against a worker. */
const ACCUSATIONS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: "lost", pattern: new RegExp(`^${ID} \\(.*\\) lost`) },
  { what: "failed", pattern: new RegExp(`^${ID} failed a lease`) },
  { what: "quarantined", pattern: new RegExp(`${ID} is quarantined`) },
  { what: "notFinite", pattern: new RegExp(`${ID} sent a result that is not finite`) },
  { what: "unmoved", pattern: new RegExp(`${ID} has not moved`) },
];

/** Nobody is accused of what was not done to it. */
export function attribution({ log, events, schedule }: Facts): readonly string[] {
  const guilty = new Set(
    events.flatMap((event) => (event.kind === "fired" ? [event.workerId] : [])),
  );
  const kinds = new Set(schedule.faults.map((fault) => kindOf(fault).kind));
  const problems = log.flatMap((line) => {
    const accused = accusedBy(line);
    if (accused === undefined || guilty.has(accused.workerId)) return [];
    // Whoever hears nothing of a coordinator that stands still looks for it anew.
    if (accused.what === "lost" && kinds.has("coordinatorFreeze")) return [];
    return [`${accused.workerId} is accused of what was not done to it: ${line.msg}`];
  });
  return problems.slice(0, 5);
}

/** Refusals that come with being late, which is nobody's fault. */
const LATE: ReadonlySet<string> = new Set(["duplicate", "staleLease", "staleStep"]);

function accusedBy({
  msg,
  worker,
  reason,
}: LogLine): { readonly workerId: string; readonly what: string } | undefined {
  if (msg.startsWith("upload refused") && worker !== undefined) {
    return LATE.has(reason ?? "") ? undefined : { workerId: worker, what: "refused" };
  }
  for (const { what, pattern } of ACCUSATIONS) {
    const workerId = pattern.exec(msg)?.[1];
    if (workerId !== undefined) return { workerId, what };
  }
  return undefined;
}
