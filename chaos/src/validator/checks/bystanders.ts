import type { Facts, Life } from "../facts.js";
import { turnedAway } from "../freezes.js";
import { struckWorkers, trainLeaseOf } from "../seen-events.js";

/** So many steps that begin after a stream ended show that the coordinator went on. */
const STEPS_SINCE = 2;

type Used = "lives" | "events" | "deadlineMs";

/** What happens to one worker ends no other one's stream: nobody else starts again. */
export function bystanders(facts: Pick<Facts, Used>): readonly string[] {
  const { lives, events } = facts;
  const struck = struckWorkers(events);
  const away = turnedAway(facts);
  return lives.flatMap(({ events: own }) => {
    // Streams of the life before may end late.
    const joined = new Set(own.flatMap((each) => (each.kind === "joined" ? [each.workerId] : [])));
    return own.flatMap((event, index) => {
      if (event.kind !== "streamClosed" || struck.has(event.workerId)) return [];
      if (away.has(event.workerId) || !joined.has(event.workerId)) return [];
      if (stepsBegunIn(own.slice(index)) < STEPS_SINCE) return [];
      return [`the stream of ${event.workerId} ended, to which nothing was done`];
    });
  });
}

function stepsBegunIn(events: Life["events"]): number {
  const steps = events.flatMap((event) => trainLeaseOf(event)?.step ?? []);
  return new Set(steps).size;
}
