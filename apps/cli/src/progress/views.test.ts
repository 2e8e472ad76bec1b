import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";

import type { EvaluationEvent, StepEvent, Summary } from "./events.js";
import { follow } from "./follow.js";
import { createJsonView } from "./json-view.js";
import { createPlainView } from "./plain-view.js";
import { comparisonText, summaryText } from "./summary-text.js";

function stepEvent(step: number): StepEvent {
  return {
    kind: "step",
    step,
    totalSteps: 100,
    epoch: 0,
    loss: Math.log(4),
    learningRate: 0.003,
    gradientNorm: 1,
    samplesPerSecond: 1000,
    workers: 2,
    secondsLeft: 10,
    skipped: false,
    replayed: false,
  };
}

const test: EvaluationEvent = {
  kind: "evaluation",
  step: 100,
  split: "test",
  loss: Math.log(4),
  best: false,
};

const summary: Summary = {
  kind: "text",
  runDirectory: "runs/moby dick",
  testLoss: Math.log(4),
  baselines: [
    { order: 3, bitsPerSymbol: 2.83 },
    { order: 5, bitsPerSymbol: 1.5 },
  ],
  sample: { prompt: "Call me ", text: "Ishmael.\nSome" },
  translations: [],
};

/** A plain view, and the numbers of the steps that it printed. */
function plainView() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const view = createPlainView({
    kind: "text",
    clock,
    writeOut: (text) => lines.push(`out ${text}`),
    writeErr: (text) => lines.push(text),
  });
  const steps = (): readonly number[] =>
    lines.flatMap((line) => /^step +(\d+)\//.exec(line)?.[1] ?? []).map(Number);
  return { clock, view, lines, steps };
}

describe("the plain view", () => {
  it("prints the first step, and then one at most every five seconds", () => {
    const { clock, view, steps } = plainView();
    for (let step = 1; step <= 12; step++) {
      view.step(stepEvent(step));
      clock.advance(1000);
    }
    // Printed at 0 s, 5 s and 10 s; step n happens at n - 1 s.
    expect(steps()).toEqual([1, 6, 11]);
  });

  it("prints the last step before the end, if it was held back", () => {
    const { view, steps, lines } = plainView();
    view.step(stepEvent(1));
    view.step(stepEvent(2));
    view.ended({ outcome: "completed", step: 2, reason: "", parametersSha256: "" });
    expect(steps()).toEqual([1, 2]);
    expect(lines.at(-1)).toBe("completed at step 2\n");
  });

  it("prints every evaluation and notice at once", () => {
    const { view, lines } = plainView();
    view.step(stepEvent(1));
    view.evaluation(test);
    view.notice({ level: "warn", text: "worker-1 was killed" });
    expect(lines.slice(1)).toEqual([
      "test after step 100 · loss 1.386 · 2.000 bits/char\n",
      "warning: worker-1 was killed\n",
    ]);
  });

  it("prints the step that an evaluation came after before it, though held back", () => {
    const { view, steps, lines } = plainView();
    view.step(stepEvent(1));
    view.step(stepEvent(2));
    view.evaluation(test);
    expect(steps()).toEqual([1, 2]);
    expect(lines.at(-1)).toMatch(/^test after step/);
  });

  it("gives the reason of an end that is no completion", () => {
    const { view, lines } = plainView();
    const end = { step: 2, parametersSha256: "" } as const;
    view.ended({ ...end, outcome: "failed", reason: "the loss is not finite" });
    view.ended({ ...end, outcome: "completed", reason: "the run is complete" });
    expect(lines).toEqual(["failed at step 2: the loss is not finite\n", "completed at step 2\n"]);
  });

  it("puts the summary, and nothing else, on standard output", () => {
    const { view, lines } = plainView();
    view.started({ runDirectory: "r", coordinatorAddress: "a", metricsUrl: "m", workers: 1 });
    view.summary(summary);
    expect(lines.map((line) => line.startsWith("out "))).toEqual([false, true]);
  });
});

describe("the JSON view", () => {
  it("writes one object a line, each with its event and with bits beside nats", () => {
    const written: string[] = [];
    const view = createJsonView("text", (text) => written.push(text));
    view.started({ runDirectory: "r", coordinatorAddress: "a", metricsUrl: "m", workers: 1 });
    view.step(stepEvent(1));
    view.evaluation(test);
    view.notice({ level: "info", text: "two\nlines" });
    view.ended({ outcome: "completed", step: 1, reason: "", parametersSha256: "00" });
    view.summary(summary);
    expect(written.every((text) => /^[^\n]+\n$/.test(text))).toBe(true);
    const events = written.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual([
      "started",
      "step",
      "evaluation",
      "notice",
      "ended",
      "summary",
    ]);
    expect(events[1]).toMatchObject({ step: 1, totalSteps: 100, bitsPerSymbol: 2 });
    expect(events[5]).toMatchObject({ test: { bitsPerSymbol: 2 }, runDirectory: "runs/moby dick" });
  });
});

describe("the summary", () => {
  it("ranks the model among the baselines", () => {
    const names = comparisonText(2, summary.baselines)
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}| (?=\d\.)/));
    expect(names).toEqual([
      ["5-gram (Witten-Bell)", "1.500"],
      ["this model", "2.000"],
      ["3-gram (Witten-Bell)", "2.830"],
    ]);
  });

  it("shows the sample with its prompt, the run directory, and how to write more", () => {
    const text = summaryText(summary);
    expect(text).toContain('going on from "Call me "\n  Ishmael.\n  Some\n');
    expect(text).toContain("run directory  runs/moby dick\n");
    expect(text).toContain("npx ostinato generate 'runs/moby dick' --prompt");
  });

  it("leaves out what there is not", () => {
    const text = summaryText({
      kind: "text",
      runDirectory: "r",
      testLoss: undefined,
      baselines: [],
      sample: undefined,
      translations: [],
    });
    expect(text).not.toMatch(/sample|bits/);
  });
});

describe("a run of sequences", () => {
  it("ends with the loss of its test part and how to predict, and no text", () => {
    const text = summaryText({ ...summary, kind: "sequences", testLoss: 0.25 });
    expect(text).toBe(
      "\nloss on the held-out test part  0.250000\n\nrun directory  runs/moby dick\n" +
        "predictions    npx ostinato predict 'runs/moby dick' --input FILE.jsonl\n",
    );
  });

  it("has no bits in JSON", () => {
    const written: string[] = [];
    const view = createJsonView("sequences", (text) => written.push(text));
    view.step(stepEvent(1));
    view.evaluation(test);
    view.summary({ ...summary, kind: "sequences" });
    expect(written).toHaveLength(3);
    for (const line of written) expect(line).not.toContain('bitsPerSymbol":2}');
    expect(JSON.parse(written[1] ?? "")).toEqual({
      ...{ event: "evaluation", step: 100, split: "test" },
      ...{ loss: Math.log(4), best: false },
    });
  });
});

describe("a run of pairs", () => {
  const translations = [
    { source: "12", target: ["twelve"], translation: ["twelve"] },
    { source: "13", target: ["thirteen"], translation: ["three", "\uFFFD"] },
  ];
  const ofPairs: Summary = { ...summary, kind: "pairs", testLoss: 0.25, translations };

  it("ends with the loss of its test part, some translations and how to make more", () => {
    expect(summaryText(ofPairs)).toBe(
      "\nloss on the held-out test part  0.250000 nats per target token\n\n" +
        'pairs of the test part\n  "12" → ["twelve"]\n' +
        '  "13" → ["three","\uFFFD"], expected ["thirteen"]\n\n' +
        "run directory  runs/moby dick\n" +
        "translations   npx ostinato translate 'runs/moby dick' --text \"…\"\n",
    );
    const bare = summaryText({ ...ofPairs, testLoss: undefined, translations: [] });
    expect(bare).toMatch(/^\nrun directory/);
  });

  it("has them in JSON, and no bits", () => {
    const written: string[] = [];
    createJsonView("pairs", (text) => written.push(text)).summary(ofPairs);
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ test: { loss: 0.25 }, translations });
    expect(written[0]).not.toContain('bitsPerSymbol":0.3');
  });
});

describe("following a run", () => {
  const quiet = createJsonView("text", () => undefined);

  it("keeps the test evaluation and the end", async () => {
    const ended = {
      kind: "ended",
      outcome: "completed",
      reason: "",
      step: 100,
      parametersSha256: "00",
    } as const;
    async function* events() {
      yield await Promise.resolve(stepEvent(1));
      yield { ...test, split: "validation", loss: 9 };
      yield test;
      yield ended;
    }
    expect(await follow(events(), quiet)).toEqual({
      ...{ ended, test, lastStep: 1 },
      brokenBy: undefined,
    });
  });

  it("tells what broke the stream instead of throwing it", async () => {
    const broken = new Error("connection lost");
    async function* events() {
      yield await Promise.resolve(stepEvent(1));
      throw broken;
    }
    expect(await follow(events(), quiet)).toMatchObject({ ended: undefined, brokenBy: broken });
  });
});
