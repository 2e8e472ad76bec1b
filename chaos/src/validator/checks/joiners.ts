import type { Facts, Life } from "../facts.js";

/** Steps that may begin without it: the one under way, and those in which the others' measured speed leaves it nothing. */
const STEPS_TO_SPARE = 4;

/** Whoever joins takes part, in one of the next steps. */
export function joiners({ lives }: Facts): readonly string[] {
  return lives.flatMap(({ events }) => leftOut(events));
}

function leftOut(events: Life["events"]): readonly string[] {
  /** By worker without a lease: steps that have begun since its stream was there. */
  const waiting = new Map<string, Set<number>>();
  const problems: string[] = [];
  for (const event of events) {
    if (event.kind === "streamClosed") waiting.delete(event.workerId);
    if (event.kind !== "message") continue;
    const { workerId, message } = event;
    if (message.kind === "attach") waiting.set(workerId, new Set());
    // Told to go, or going: it takes nothing more.
    if (message.kind === "stop" || message.kind === "returnLeases") waiting.delete(workerId);
    if (message.kind !== "lease") continue;
    waiting.delete(workerId);
    for (const [other, steps] of waiting) {
      if (message.leaseKind !== "train") continue;
      steps.add(message.step ?? 0);
      if (steps.size <= STEPS_TO_SPARE) continue;
      waiting.delete(other);
      problems.push(`${other} has joined, and ${[...steps].join(", ")} are steps without it`);
    }
  }
  return problems;
}
