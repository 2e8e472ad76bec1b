import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { writeSmallRun } from "../../test/support/small-run.js";
import { readLedger } from "../ledger/index.js";
import { metricsOf, openMetricsFile } from "./metrics-file.js";

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

  it("has after a resume one line for each of the ledger's, whatever a crash took or left over", async () => {
    const path = join(folder, "metrics.jsonl");
    const { run } = await writeSmallRun(folder, { stopAfter: 10 });
    const { records } = await readLedger(run.paths.ledger);
    const committed = metricsOf(records);
    expect(committed.map(({ type, step }) => `${type} ${step}`)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((step) => `step ${step}`),
      "evaluation 8",
      "step 9",
      "step 10",
    ]);
    const linesOf = async (): Promise<unknown[]> =>
      (await readFile(path, "utf8"))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
    const text = (lines: readonly object[]): string =>
      lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const later = { type: "step", step: 11, loss: 1 };
    for (const left of [
      "",
      text(committed.slice(0, 9)),
      `${text(committed.slice(0, 9))}{"type":"st`,
      text([...committed, later]),
      text([...committed.slice(0, 4), { type: "step", step: 90 }]),
    ]) {
      await writeFile(path, left);
      openMetricsFile(path, { committed }).close();
      expect(await linesOf()).toEqual(committed);
    }
  });

  it("fills a gap that a disk left in the middle, in order", async () => {
    const path = join(folder, "metrics.jsonl");
    const committed = [1, 2, 3, 4].map((step) => ({ type: "step", step, loss: step }) as const);
    const text = (lines: readonly object[]): string =>
      lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    await writeFile(path, text([committed[0]!, committed[2]!]));
    openMetricsFile(path, { committed }).close();
    expect(await readFile(path, "utf8")).toBe(text(committed));
  });

  it("keeps lines that cannot be written, and writes them in order when they can be", async () => {
    const place = join(folder, "later");
    const path = join(place, "metrics.jsonl");
    const metrics = openMetricsFile(path);
    expect(metrics.problem).toMatchObject({
      code: "storageFailed",
      message: `${path}: cannot be written (ENOENT)`,
    });
    for (const step of [1, 2]) {
      expect(() => metrics.append({ type: "step", step })).toThrow(
        expect.objectContaining({ code: "storageFailed" }),
      );
    }
    await mkdir(place);
    metrics.append({ type: "step", step: 3 });
    metrics.close();
    expect(await readFile(path, "utf8")).toBe(
      '{"type":"step","step":1}\n{"type":"step","step":2}\n{"type":"step","step":3}\n',
    );
  });

  it("is not changed by one who is not its writer any more", async () => {
    const path = join(folder, "metrics.jsonl");
    let isHeld = true;
    const guard = (): void => {
      if (!isHeld) throw new Error("lost");
    };
    const metrics = openMetricsFile(path, { guard });
    metrics.append({ type: "step", step: 1 });
    isHeld = false;
    expect(() => metrics.append({ type: "step", step: 2 })).toThrow("lost");
    metrics.close();
    expect(await readFile(path, "utf8")).toBe('{"type":"step","step":1}\n');
  });
});
