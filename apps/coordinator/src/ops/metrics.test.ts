import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { createMetrics } from "./index.js";

const create = (): { registry: Registry; metrics: ReturnType<typeof createMetrics> } => {
  const registry = new Registry();
  const metrics = createMetrics(registry, {
    run: { samples: "sequences", loss: "huber", lossUnit: "squared target units" },
    countWorkers: () => ({ joined: 0, active: 2, draining: 0, quarantined: 0 }),
    checkpointAgeSeconds: () => 7,
    minWorkers: 2,
    stalledSeconds: () => 3.5,
  });
  return { registry, metrics };
};

describe("the coordinator's metrics", () => {
  it("keep to Prometheus' names: prefix, base units, _total for counters alone, a help", async () => {
    const all = await create().registry.getMetricsAsJSON();
    expect(all.length).toBeGreaterThan(15);
    for (const { name, help, type } of all) {
      expect(name).toMatch(/^ostinato_coordinator_[a-z]+(_[a-z]+)*$/);
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent|count|sum|bucket)(_|$)/);
      expect(name.endsWith("_total"), name).toBe(String(type) === "counter");
      if (String(type) === "histogram") expect(name).toMatch(/_(seconds|bytes)$/);
      expect(help).toMatch(/\.$/);
    }
  });

  it("begin at 0, so that the first event shows in a rate", async () => {
    const text = await create().registry.metrics();
    for (const sample of [
      'steps_total{outcome="committed"} 0',
      'leases_total{event="issued"} 0',
      'leases_total{event="expired"} 0',
      'uploads_rejected_total{reason="nonFinite"} 0',
      'tensor_bytes_total{direction="received",carrier="stream"} 0',
      'checkpoints_total{outcome="written"} 0',
      'workers{state="active"} 2',
      "min_workers 2",
      "stalled_seconds 3.5",
      'run_info{samples="sequences",loss="huber",loss_unit="squared target units"} 1',
    ]) {
      expect(text).toContain(`ostinato_coordinator_${sample}\n`);
    }
  });

  it("have no age of a checkpoint that is not there", async () => {
    const { registry, metrics } = create();
    expect(await registry.metrics()).not.toContain("checkpoint_age_seconds");
    metrics.checkpointWritten(0.1);
    expect(await registry.metrics()).toContain("checkpoint_age_seconds 7\n");
  });
});
