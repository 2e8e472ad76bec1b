import type { Facts, Life } from "../facts.js";
import { lastPageOf } from "../metrics-page.js";
import type { MetricsPage } from "../metrics-page.js";

/** The metrics page at the run's end says what happened in the coordinator's last life. */
export function metrics(facts: Facts): readonly string[] {
  return facts.lives.slice(-1).flatMap((life) => {
    const read = lastPageOf(life);
    if (read === undefined) return ["nobody read them at the run's end"];
    return problemsOf(facts, { ...life, events: read.eventsBefore }, read.page);
  });
}

function problemsOf(
  { ledger, log, schedule: { workers } }: Facts,
  life: Life,
  page: MetricsPage,
): readonly string[] {
  const { incarnation } = life;
  const value = (name: string): number => page.value(name);
  const steps = ledger.filter((record) => record.type === "step");
  const own = steps.filter((record) => record.incarnation === incarnation);
  const resume = ledger.find(
    (record) => record.type === "resume" && record.incarnation === incarnation,
  );
  const repeated =
    resume?.type === "resume"
      ? steps.filter(({ step }) => step > resume.checkpointStep && step <= resume.ledgerStep)
      : [];
  const sum = (records: typeof steps): number =>
    records.reduce((total, { samples }) => total + samples, 0);
  const refusals = log.filter(
    ({ pid, msg }) => pid === life.pid && msg.startsWith("upload refused"),
  );
  const numNodes = own.reduce((total, { nodes }) => total + nodes.length, 0);
  const numLeases = life.events.filter(
    (event) => event.kind === "message" && event.message.kind === "lease",
  ).length;
  const lostStreams = life.events.some(({ kind }) => kind === "streamClosed");
  return [
    ...unequal("committed steps", value('steps_total{outcome="committed"}'), own.length),
    ...unequal("replayed steps", value('steps_total{outcome="replayed"}'), repeated.length),
    ...unequal("samples", value("samples_total"), sum(own) + sum(repeated)),
    ...refusedProblems(page, refusals),
    ...(value("uploads_admitted_total") < numNodes
      ? [`${value("uploads_admitted_total")} uploads admitted, the ledger has ${numNodes} nodes`]
      : []),
    // Those of others may be on their way; one that was issued to a stream that has just ended is seen by nobody.
    ...(lostStreams || Math.abs(value('leases_total{event="issued"}') - numLeases) <= workers
      ? []
      : unequal("leases", value('leases_total{event="issued"}'), numLeases)),
  ];
}

function refusedProblems(
  { samples }: MetricsPage,
  refusals: readonly { readonly reason?: string }[],
): readonly string[] {
  return [...samples].flatMap(([sample, count]) => {
    const reason = /uploads_rejected_total\{reason="(\w+)"\}/.exec(sample)?.[1];
    if (reason === undefined) return [];
    const logged = refusals.filter((line) => line.reason === reason).length;
    return unequal(`uploads refused as ${reason}`, count, logged);
  });
}

function unequal(what: string, told: number, happened: number): readonly string[] {
  return told === happened ? [] : [`${what}: the metrics say ${told}, the history ${happened}`];
}
