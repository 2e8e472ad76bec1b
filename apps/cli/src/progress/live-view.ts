/** One live line on a terminal, with notices above it. */

import { MultiBar } from "cli-progress";
import type { SingleBar } from "cli-progress";

import type { DataKind, ProgressView, StepEvent } from "./events.js";
import { formatEvaluation, formatStep } from "./format.js";
import { endedLine } from "./plain-view.js";
import { startedText, summaryText } from "./summary-text.js";

const BAR_WIDTH = 12;

export interface LiveViewModules {
  readonly kind: DataKind;
  /** The terminal that the line lives on. */
  readonly terminal: NodeJS.WriteStream;
  /** Where results go. */
  readonly writeOut: (text: string) => void;
}

/**
 * The bar and its figures on one line of a terminal: without the bar, then with shorter words where it
 * is too narrow, and cut in the end.
 */
export function formatLiveLine(event: StepEvent, columns: number, kind: DataKind): string {
  const done = Math.round((event.step / Math.max(event.totalSteps, 1)) * BAR_WIDTH);
  const bar = "█".repeat(Math.min(done, BAR_WIDTH)).padEnd(BAR_WIDTH, "░");
  const counted = `${event.step}/${event.totalSteps}`;
  const full = `${counted} · ${formatStep(event, kind)}`;
  const short = `${counted} ${formatStep(event, kind, "short")}`;
  const fitting = [`${bar} ${full}`, full, short].find(({ length }) => length <= columns);
  return fitting ?? `${short.slice(0, Math.max(columns - 1, 0))}…`;
}

export function createLiveView({ kind, terminal, writeOut }: LiveViewModules): ProgressView {
  const bars = new MultiBar({
    stream: terminal,
    format: (_options, _params, payload: { readonly line?: string }) => payload.line ?? "",
    hideCursor: true,
    clearOnComplete: true,
    // Signals are the cluster's.
    gracefulExit: false,
    emptyOnZero: true,
  });
  let bar: SingleBar | undefined;
  const close = (): void => {
    if (bar === undefined) return;
    bar = undefined;
    bars.stop();
  };
  const writeAbove = (text: string): void => {
    if (bar === undefined) terminal.write(text);
    else bars.log(text);
  };
  return {
    started: (event) => terminal.write(startedText(event)),
    step: (event) => {
      bar ??= bars.create(event.totalSteps, 0, { line: "" });
      bar.update(event.step, { line: formatLiveLine(event, terminal.columns, kind) });
    },
    evaluation: (event) => writeAbove(`${formatEvaluation(event, kind)}\n`),
    notice: ({ level, text }) => writeAbove(level === "warn" ? `warning: ${text}\n` : `${text}\n`),
    ended: ({ outcome, step, reason }) => {
      close();
      terminal.write(endedLine(outcome, step, reason));
    },
    summary: (summary) => writeOut(summaryText(summary)),
    close,
  };
}
