import { monitorEventLoopLag } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";

import { createWorkerMetrics, rejectionLabel } from "./index.js";

const build = { version: "1.2.3", node: "v20.0.0" };
const BASE_UNITS = ["seconds", "bytes"];
const OTHER_UNITS = /(_|^)(milliseconds|ms|minutes|kilobytes|mebibytes|kb|mb|percent)(_|$)/;

describe("the worker's metrics", () => {
  it("are named, described and labelled by Prometheus' conventions", async () => {
    const registry = new Registry();
    createWorkerMetrics(registry, build);
    const lag = monitorEventLoopLag(registry, "ostinato_worker_event_loop_lag_seconds");
    const metrics = await registry.getMetricsAsJSON();
    lag.stop();
    expect(metrics.length).toBeGreaterThan(8);
    for (const { name, help, type, values } of metrics) {
      expect(name).toMatch(/^ostinato_worker_[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(help, name).toMatch(/^[A-Z0-9].{10,}\.$/);
      // prom-client tells the type in text here, whatever its declaration says.
      const isCounter = String(type) === "counter";
      expect(name.endsWith("_total"), name).toBe(isCounter);
      expect(name).not.toMatch(OTHER_UNITS);
      expect(name).not.toMatch(/_(count|sum|bucket|info_total)$/);
      const unit = BASE_UNITS.find((word) => name.includes(word));
      if (unit !== undefined) expect(name).toMatch(new RegExp(`_${unit}(_total)?$`));
      for (const { labels } of values) {
        for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z][a-z_]*$/);
      }
    }
  });

  it("have every label value that can be known from the start, at 0", async () => {
    const registry = new Registry();
    createWorkerMetrics(registry, build);
    const text = await registry.metrics();
    for (const series of [
      'ostinato_worker_leases_total{kind="evaluate",outcome="revoked"} 0',
      'ostinato_worker_tensor_bytes_total{direction="sent",carrier="sharedMemory"} 0',
      'ostinato_worker_uploads_rejected_total{reason="staleLease"} 0',
      'ostinato_worker_uploads_rejected_total{reason="other"} 0',
    ]) {
      expect(text).toContain(series);
    }
  });

  it("take no label from a peer's text that is no reason of the protocol", () => {
    expect(rejectionLabel("nonFinite")).toBe("nonFinite");
    expect(["", "x".repeat(4096), "constructor"].map(rejectionLabel)).toEqual(
      Array(3).fill("other"),
    );
  });
});
