import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";

import { createMetrics, StorageHealth } from "./index.js";

describe("the health of the storage", () => {
  it("is told when it changes, and counted all the while", async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, {
      run: { samples: "positions", loss: "crossEntropy", lossUnit: "nats" },
      countWorkers: () => ({ joined: 0, active: 0, draining: 0, quarantined: 0 }),
      checkpointAgeSeconds: () => undefined,
      minWorkers: 1,
      stalledSeconds: () => 0,
    });
    const told: string[] = [];
    const notify = (level: string, text: string): void => void told.push(`${level}: ${text}`);
    const health = new StorageHealth({ metrics, notify });
    const failing = async (part: string): Promise<string | undefined> =>
      new RegExp(`storage_failing\\{part="${part}"\\} (\\d+)`).exec(await registry.metrics())?.[1];
    expect(await failing("checkpoints")).toBe("0");
    health.worked("checkpoints");
    expect(told).toEqual([]);
    for (let i = 0; i < 3; i++) health.failed("checkpoints", "a checkpoint is lost (ENOSPC)");
    health.failed("retention", "an old checkpoint stays (EACCES)");
    expect(told).toEqual([
      "warn: a checkpoint is lost (ENOSPC); training goes on",
      "warn: an old checkpoint stays (EACCES); training goes on",
    ]);
    expect(await failing("checkpoints")).toBe("3");
    expect(await failing("retention")).toBe("1");
    health.worked("checkpoints");
    health.worked("retention");
    health.worked("checkpoints");
    expect(told.slice(2)).toEqual([
      "info: checkpoints can be written again, after 3 failures in a row",
      "info: old checkpoints can be removed again, after 1 failure in a row",
    ]);
    expect(await failing("checkpoints")).toBe("0");
    health.failed("checkpoints", "again");
    expect(told.at(-1)).toBe("warn: again; training goes on");
  });
});
