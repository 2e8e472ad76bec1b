import type { Facts, Life } from "../facts.js";

const PREFIX = "ostinato_coordinator_";

/** The metrics page at the run's end says what happened in the coordinator's last life. */
export function metrics(facts: Facts): readonly string[] {
  return facts.lives.slice(-1).flatMap((life) => {
    const reading = life.events.findLast(
      (event) => event.kind === "reading" && event.when === "end",
    );
    if (reading?.kind !== "reading") return ["nobody read them at the run's end"];
    const upToThen = life.events.slice(0, life.events.indexOf(reading));
    return problemsOf(facts, { ...life, events: upToThen }, samplesOf(reading.metrics));
  });
}

function problemsOf(
  { ledger, log, schedule: { workers } }: Facts,
  life: Life,
  page: ReadonlyMap<string, number>,
): readonly string[] {
  const { incarnation } = life;
  const value = (name: string): number => page.get(`${PREFIX}${name}`) ?? 0;
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
  page: ReadonlyMap<string, number>,
  refusals: readonly { readonly reason?: string }[],
): readonly string[] {
  return [...page].flatMap(([sample, count]) => {
    const reason = /uploads_rejected_total\{reason="(\w+)"\}/.exec(sample)?.[1];
    if (reason === undefined) return [];
    const logged = refusals.filter((line) => line.reason === reason).length;
    return unequal(`uploads refused as ${reason}`, count, logged);
  });
}

function unequal(what: string, told: number, happened: number): readonly string[] {
  return told === happened ? [] : [`${what}: the metrics say ${told}, the history ${happened}`];
}

/** Values of a page in Prometheus's text format, by name and labels as they stand. */
function samplesOf(page: string): ReadonlyMap<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
