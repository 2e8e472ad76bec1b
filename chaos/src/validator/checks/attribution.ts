import type { Facts, LogLine } from "../facts.js";
import { turnedAway } from "../freezes.js";
import { struckWorkers } from "../seen-events.js";

const ID = "(worker-\\d+-\\d+)";

/** What the coordinator says against a worker. */
const ACCUSATIONS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: "lost", pattern: new RegExp(`^${ID} \\(.*\\) lost`) },
  { what: "failed", pattern: new RegExp(`^${ID} failed a lease`) },
  { what: "quarantined", pattern: new RegExp(`${ID} is quarantined`) },
  { what: "notFinite", pattern: new RegExp(`${ID} sent a result that is not finite`) },
  { what: "unmoved", pattern: new RegExp(`${ID} has not moved`) },
];

type Used = "log" | "events" | "deadlineMs";

/** Nobody is accused of what was not done to it, nor quarantined for what others do not see. */
export function attribution(facts: Pick<Facts, Used>): readonly string[] {
  const { log, events } = facts;
  const fired = events.flatMap((event) => (event.kind === "fired" ? [event] : []));
  const guilty = struckWorkers(events);
  const away = turnedAway(facts);
  const wrong = new Set(
    fired.filter(({ fault }) => fault.kind === "gradientTooLarge").map(({ workerId }) => workerId),
  );
  const problems = log.flatMap((line) => {
    const accused = accusedBy(line);
    if (accused === undefined) return [];
    const { workerId, what } = accused;
    if (what === "quarantined" ? wrong.has(workerId) : guilty.has(workerId)) return [];
    if (what === "lost" && away.has(workerId)) return [];
    return [`${workerId} is accused of what was not done to it: ${line.msg}`];
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
