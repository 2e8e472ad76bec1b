import type { Facts, Life } from "./facts.js";
import { gapsOf, trainLeaseOf } from "./seen-events.js";

/** What played schedules show of each promise, in numbers. */
export interface Figures {
  /** Steps that were committed, and the micro-shards in them. */
  readonly steps: number;
  readonly leaves: number;
  /** Identities of workers that had a part in one step at least. */
  readonly workers: number;
  /** Identities that were given. */
  readonly joins: number;
  /** Workers' processes that ended before the run did, by whatever hand. */
  readonly deaths: number;
  /** Micro-shards that went to a second worker within one step: after a death, or late. */
  readonly leavesAgain: number;
  readonly resumes: number;
  /** Steps that resumes computed anew. */
  readonly stepsAgain: number;
  /** Uploads that the coordinator refused. */
  readonly refused: number;
  /** The longest time between two messages, in milliseconds. */
  readonly longestSilenceMs: number;
}

export const NO_FIGURES: Figures = {
  ...{ steps: 0, leaves: 0, workers: 0, joins: 0, deaths: 0, leavesAgain: 0 },
  ...{ resumes: 0, stepsAgain: 0, refused: 0, longestSilenceMs: 0 },
};

export function figuresOf({ events, lives, ledger, log }: Facts): Figures {
  const records = ledger.filter((record) => record.type === "step");
  const nodes = records.flatMap((record) => record.nodes);
  const leased = lives.map(leavesByStep);
  const lastLease = events.findLastIndex(
    (event) => event.kind === "message" && event.message.kind === "lease",
  );
  const stepsOfLives = leased.flatMap((life) => [...life.keys()]);
  return {
    steps: records.length,
    leaves: nodes.reduce((sum, { count }) => sum + count, 0),
    workers: new Set(nodes.map(({ worker }) => worker)).size,
    joins: events.filter(({ kind }) => kind === "joined").length,
    deaths: events
      .slice(0, lastLease)
      .filter((event) => event.kind === "process" && event.what === "exited" && event.slot > 0)
      .length,
    leavesAgain: leased.reduce((sum, life) => sum + againIn(life), 0),
    resumes: lives.length - 1,
    stepsAgain: stepsOfLives.length - new Set(stepsOfLives).size,
    refused: log.filter(({ msg }) => msg.startsWith("upload refused")).length,
    longestSilenceMs: Math.max(0, ...gapsOf(events).map(({ ms }) => ms)),
  };
}

/** Those of several schedules together. */
export function addFigures(one: Figures, other: Figures): Figures {
  const names = Object.keys(NO_FIGURES) as (keyof Figures)[];
  const sums = names.map((name) => [name, one[name] + other[name]]);
  const longestSilenceMs = Math.max(one.longestSilenceMs, other.longestSilenceMs);
  return { ...(Object.fromEntries(sums) as unknown as Figures), longestSilenceMs };
}

/** By step of training: how often each leaf was leased in one life of the coordinator. */
function leavesByStep({ events }: Life): ReadonlyMap<number, ReadonlyMap<number, number>> {
  const steps = new Map<number, Map<number, number>>();
  for (const event of events) {
    const lease = trainLeaseOf(event);
    if (lease === undefined) continue;
    const { step, leaves } = lease;
    const counts = steps.get(step) ?? new Map<number, number>();
    for (const leaf of leaves) counts.set(leaf, (counts.get(leaf) ?? 0) + 1);
    steps.set(step, counts);
  }
  return steps;
}

function againIn(life: ReadonlyMap<number, ReadonlyMap<number, number>>): number {
  return [...life.values()].reduce(
    (sum, counts) => sum + [...counts.values()].filter((count) => count > 1).length,
    0,
  );
}
