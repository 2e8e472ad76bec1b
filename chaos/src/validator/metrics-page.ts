/** The coordinator's metrics page, as it was read at the run's end. */

import type { Life } from "./facts.js";

const PREFIX = "ostinato_coordinator_";

export interface MetricsPage {
  /** By name and labels as they stand. */
  readonly samples: ReadonlyMap<string, number>;
  /** @param name of one of the coordinator's, labels and all; 0 where it is not there */
  value(name: string): number;
}

/** The newest page of a life, and what happened before it was read; undefined where nobody read it. */
export function lastPageOf({
  events,
}: Pick<Life, "events">):
  { readonly page: MetricsPage; readonly eventsBefore: Life["events"] } | undefined {
  const index = events.findLastIndex((event) => event.kind === "reading" && event.when === "end");
  const reading = events[index];
  if (reading?.kind !== "reading") return undefined;
  const samples = samplesOf(reading.metrics);
  const value = (name: string): number => samples.get(`${PREFIX}${name}`) ?? 0;
  return { page: { samples, value }, eventsBefore: events.slice(0, index) };
}

/** Values of a page in Prometheus's text format. */
function samplesOf(page: string): ReadonlyMap<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
