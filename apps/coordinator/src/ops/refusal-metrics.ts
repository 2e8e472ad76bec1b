/** What is turned away before it reaches the run: counted from when the ports open, before there is a run. */

import { REFUSAL_REASONS } from "@ostinato/proto";
import { Counter } from "prom-client";
import type { Registry } from "prom-client";

export interface RefusalMetrics {
  readonly refusals: Counter<"reason">;
}

export function createRefusalMetrics(registry: Registry): RefusalMetrics {
  const refusals = new Counter({
    name: "ostinato_coordinator_refusals_total",
    help: "Connections, TLS handshakes, calls, streams and pages that were turned away, by reason.",
    labelNames: ["reason"] as const,
    registers: [registry],
  });
  for (const reason of REFUSAL_REASONS) refusals.inc({ reason }, 0);
  return { refusals };
}
