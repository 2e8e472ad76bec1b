import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openMetricsFile } from "./metrics-file.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-metrics-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("openMetricsFile", () => {
  it("appends one line of JSON each, over reopenings", async () => {
    const path = join(folder, "metrics.jsonl");
    for (const step of [1, 2]) {
      const metrics = openMetricsFile(path);
      metrics.append({ type: "step", step, loss: step === 2 ? NaN : 1.5 });
      metrics.close();
    }
    expect(await readFile(path, "utf8")).toBe(
      '{"type":"step","step":1,"loss":1.5}\n{"type":"step","step":2,"loss":null}\n',
    );
  });

  it("cuts off half a line that a crash left", async () => {
    const path = join(folder, "metrics.jsonl");
    await appendFile(path, '{"type":"step","step":1}\n{"type":"st');
    const metrics = openMetricsFile(path);
    metrics.append({ type: "evaluation", step: 2 });
    metrics.close();
    expect(await readFile(path, "utf8")).toBe(
      '{"type":"step","step":1}\n{"type":"evaluation","step":2}\n',
    );
  });

  it("reports a path that cannot be written", () => {
    expect(() => openMetricsFile(join(folder, "none", "metrics.jsonl"))).toThrow(
      expect.objectContaining({ code: "storageFailed" }),
    );
  });
});
