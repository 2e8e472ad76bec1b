/** The words at the end of a training. Pure. */

import { bitsPerSymbol } from "@ostinato/lstm";

import type { Baseline, StartedEvent, Summary } from "./events.js";

export function startedText(event: StartedEvent): string {
  return [
    `run directory  ${event.runDirectory}`,
    `metrics        ${event.metricsUrl}`,
    `coordinator    ${event.coordinatorAddress}, ${event.workers} local worker${event.workers === 1 ? "" : "s"}`,
    "",
  ].join("\n");
}

/** The model's bits per character over those of the baselines, best first. */
export function comparisonText(model: number | undefined, baselines: readonly Baseline[]): string {
  const rows = baselines.map(({ order, bitsPerSymbol: bits }) => ({
    name: `${order}-gram (Witten-Bell)`,
    bits,
  }));
  if (model !== undefined) rows.push({ name: "this model", bits: model });
  rows.sort((a, b) => a.bits - b.bits);
  return rows.map(({ name, bits }) => `  ${name.padEnd(22)} ${bits.toFixed(3)}\n`).join("");
}

export function summaryText({ kind, ...summary }: Summary): string {
  switch (kind) {
    case "text":
      return textSummary(summary);
    case "sequences":
      return sequenceSummary(summary);
    case "pairs":
      return pairSummary(summary);
    default:
      return kind satisfies never;
  }
}

function sequenceSummary({ runDirectory, testLoss }: Omit<Summary, "kind">): string {
  const loss =
    testLoss === undefined ? "" : `loss on the held-out test part  ${testLoss.toPrecision(6)}\n\n`;
  return (
    `\n${loss}run directory  ${runDirectory}\n` +
    `predictions    npx ostinato predict ${quote(runDirectory)} --input FILE.jsonl\n`
  );
}

function pairSummary({ runDirectory, testLoss, translations }: Omit<Summary, "kind">): string {
  const loss =
    testLoss === undefined
      ? ""
      : `loss on the held-out test part  ${testLoss.toPrecision(6)} nats per target token\n\n`;
  const lines = translations.map(({ source, target, translation }) => {
    const [wanted, written] = [JSON.stringify(target), JSON.stringify(translation)];
    const otherwise = wanted === written ? "" : `, expected ${wanted}`;
    return `  ${JSON.stringify(source)} → ${written}${otherwise}\n`;
  });
  const samples = lines.length === 0 ? "" : `pairs of the test part\n${lines.join("")}\n`;
  return (
    `\n${loss}${samples}run directory  ${runDirectory}\n` +
    `translations   npx ostinato translate ${quote(runDirectory)} --text "…"\n`
  );
}

function textSummary({ runDirectory, testLoss, baselines, sample }: Omit<Summary, "kind">): string {
  const parts = [];
  const model = testLoss === undefined ? undefined : bitsPerSymbol(testLoss);
  if (model !== undefined || baselines.length > 0) {
    parts.push(`bits per character on the held-out test part\n${comparisonText(model, baselines)}`);
  }
  if (sample !== undefined) {
    parts.push(
      `a sample, going on from ${JSON.stringify(sample.prompt)}\n${indent(sample.text)}\n`,
    );
  }
  parts.push(
    `run directory  ${runDirectory}\n` +
      `more text      npx ostinato generate ${quote(runDirectory)} --prompt "…" --length 1000\n`,
  );
  return `\n${parts.join("\n")}`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");
}

/** A path as it may stand in a shell command. */
function quote(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
