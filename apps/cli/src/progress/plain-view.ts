/** Lines at a calm pace, for what is not a terminal. */

import type { Clock } from "@ostinato/runtime";

import type { DataKind, ProgressView, StepEvent } from "./events.js";
import { formatEvaluation, formatStepLine } from "./format.js";
import { startedText, summaryText } from "./summary-text.js";

/** At least this long between two step lines. */
export const PLAIN_PACE_MS = 5000;

export interface ViewModules {
  readonly kind: DataKind;
  readonly clock: Clock;
  /** Where results go. */
  readonly writeOut: (text: string) => void;
  /** Where progress goes. */
  readonly writeErr: (text: string) => void;
}

/** A view that prints the first step, then one at most every five seconds, and the last. */
export function createPlainView({ kind, clock, writeOut, writeErr }: ViewModules): ProgressView {
  let shownAt: number | undefined;
  let held: StepEvent | undefined;
  const show = (event: StepEvent): void => {
    shownAt = clock.now();
    held = undefined;
    writeErr(`${formatStepLine(event, kind)}\n`);
  };
  return {
    started: (event) => writeErr(startedText(event)),
    step: (event) => {
      if (shownAt === undefined || clock.now() - shownAt >= PLAIN_PACE_MS) show(event);
      else held = event;
    },
    evaluation: (event) => {
      // The step that it came after, before it.
      if (held !== undefined) show(held);
      writeErr(`${formatEvaluation(event, kind)}\n`);
    },
    notice: ({ level, text }) => writeErr(level === "warn" ? `warning: ${text}\n` : `${text}\n`),
    ended: ({ outcome, step, reason }) => {
      if (held !== undefined) show(held);
      writeErr(endedLine(outcome, step, reason));
    },
    summary: (summary) => writeOut(summaryText(summary)),
    close: () => undefined,
  };
}

/** `completed at step 812`, or `failed at step 812` with the reason. */
export function endedLine(outcome: string, step: number, reason: string): string {
  const because = outcome === "completed" || reason === "" ? "" : `: ${reason}`;
  return `${outcome} at step ${step}${because}\n`;
}
