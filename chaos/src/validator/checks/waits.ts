import type { Facts, Life } from "../facts.js";
import { gapsOf, trainLeaseOf } from "../seen-events.js";

/** After so many deadlines without a message something must have happened: one expires, one cuts off, one to spare. */
const DEADLINES = 4;
/** Of a process, until it takes part. */
const START_MS = 20_000;

/** Nothing stands still beyond the bound, and what stands still for longer than the deadline is explained in the log. */
export function waits(facts: Facts): readonly string[] {
  const { events, deadlineMs } = facts;
  const boundMs = DEADLINES * deadlineMs + START_MS;
  const tooLong = gapsOf(events)
    .filter(({ ms }) => ms > boundMs)
    .map(({ ms, after }) => `nothing happened for ${ms} ms after ${JSON.stringify(after)}`);
  return [...tooLong, ...facts.lives.flatMap((life) => unexplained(facts, life))];
}

/** A step that took longer than the deadline has a line that says what it waited for. */
function unexplained({ log, deadlineMs }: Facts, life: Life): readonly string[] {
  const first = new Map<number, number>();
  for (const event of life.events) {
    const lease = trainLeaseOf(event);
    if (lease !== undefined && !first.has(lease.step)) first.set(lease.step, lease.atMs);
  }
  // That it moves again is no explanation of why it did not.
  const said = log
    .filter(({ pid, msg }) => pid === life.pid && !msg.includes(" moves again "))
    .map(({ msg }) => msg);
  return [...first].flatMap(([step, atMs]) => {
    const nextAtMs = first.get(step + 1);
    if (nextAtMs === undefined || nextAtMs - atMs <= deadlineMs * 1.5) return [];
    const explains = new RegExp(`\\bstep (${step}|${step + 1})\\b|stood still`);
    if (said.some((line) => explains.test(line))) return [];
    return [`step ${step} took ${nextAtMs - atMs} ms, and no line says what it waited for`];
  });
}
