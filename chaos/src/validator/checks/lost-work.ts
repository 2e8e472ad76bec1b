import type { StepRecord } from "@ostinato/run";
import type { MessageEvent, TimedEvent } from "../../history/index.js";
import type { Facts, Life } from "../facts.js";
import { intakeTimes } from "../freezes.js";
import { IN_FLIGHT_MS, trainLeaseOf } from "../seen-events.js";

type WorkFacts = Pick<Facts, "deadlineMs" | "ledger" | "lives">;

/** A death costs its unfinished leaves and nothing else: a leaf whose gradient was admitted is not leased again. */
export function lostWork(facts: WorkFacts): readonly string[] {
  const problems = facts.lives.flatMap((life) => problemsOf(facts, life));
  return problems.slice(0, 5);
}

function problemsOf({ ledger, deadlineMs }: WorkFacts, life: Life): readonly string[] {
  const leases = life.events.flatMap((event) => trainLeaseOf(event) ?? []);
  const steps = ledger.filter(
    (record): record is typeof record & { readonly type: "step" } => record.type === "step",
  );
  const admitted = steps.filter(({ incarnation }) => incarnation === life.incarnation);
  const uploads = finishedUploads(life.events);
  const takenInAtMs = intakeTimes(life.events, deadlineMs);
  return leases.flatMap((lease) => {
    const record = admitted.find(({ step }) => step === lease.step);
    if (record === undefined) return [];
    const again = lease.leaves.find((leaf) => {
      const doneAtMs = admittedAtMs(record, leaf, uploads);
      return doneAtMs !== undefined && takenInAtMs(doneAtMs) < lease.atMs - IN_FLIGHT_MS;
    });
    if (again === undefined) return [];
    return [
      `step ${lease.step}: leaf ${again} was leased to ${lease.workerId} (fence ${lease.fence}) ` +
        "although its gradient was in",
    ];
  });
}

/** When the upload passed that the ledger says the leaf's gradient came with. */
function admittedAtMs(
  record: StepRecord,
  leaf: number,
  uploads: ReadonlyMap<string, number>,
): number | undefined {
  const node = record.nodes.find(({ first, count }) => leaf >= first && leaf < first + count);
  return node && uploads.get(`${node.worker} ${node.fence} ${node.first}`);
}

/** By worker, fence and first leaf: when each upload's end passed. */
function finishedUploads(events: readonly TimedEvent[]): ReadonlyMap<string, number> {
  const begun = new Map<string, MessageEvent["message"]>();
  const finished = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== "message") continue;
    const { workerId, message } = event;
    if (message.kind === "uploadBegin" && message.node !== undefined) {
      begun.set(`${workerId} ${message.node.firstLeaf}`, message);
    }
    if (message.kind === "uploadEnd") {
      const first = message.leaves?.[0] ?? 0;
      const fence = begun.get(`${workerId} ${first}`)?.fence ?? 0;
      finished.set(`${workerId} ${fence} ${first}`, event.atMs);
    }
  }
  return finished;
}
