/** Numbers and events as a person reads them. Pure. */

import { bitsPerSymbol } from "@ostinato/lstm";

import type { DataKind, EvaluationEvent, StepEvent } from "./events.js";

/** Three or four digits of a count: 812, 31.2k, 1.2M. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value < 1000) return value.toFixed(0);
  return value < 999_950 ? `${(value / 1000).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}

/** Seconds as `42s`, `3m07s` or `2h05m`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${pad(Math.floor((whole % 3600) / 60))}m`;
}

export function formatBits(lossInNats: number): string {
  return bitsPerSymbol(lossInNats).toFixed(3);
}

const SHORT = { sequences: "seq/s", pairs: "pairs/s" } as const;

/** What a step says beside its number, in full or with the words that a narrow terminal has room for. */
export function formatStep(
  event: StepEvent,
  kind: DataKind,
  words: "full" | "short" = "full",
): string {
  const isFull = words === "full";
  // A step none of whose targets counts has no loss, nor has one that is skipped.
  const isKnown = !Number.isNaN(event.loss);
  const speed = formatCount(event.samplesPerSecond);
  const figures =
    kind === "text"
      ? [
          `loss ${isKnown ? event.loss.toFixed(3) : "–"}`,
          `${formatBits(event.loss)} ${isFull ? "bits/char" : "bpc"}`,
          `${speed} ${isFull ? "tokens/s" : "tok/s"}`,
        ]
      : [
          `loss ${isKnown ? event.loss.toPrecision(4) : "–"}`,
          `${speed} ${isFull ? `${kind}/s` : SHORT[kind]}`,
        ];
  const parts = [
    ...figures,
    `lr ${formatLearningRate(event.learningRate)}`,
    `|g| ${event.gradientNorm.toPrecision(3)}`,
    isFull ? `${event.workers} ${event.workers === 1 ? "worker" : "workers"}` : `${event.workers}w`,
    `${formatDuration(event.secondsLeft)}${isFull ? " left" : ""}`,
  ];
  if (event.skipped) parts.push("skipped: not finite");
  if (event.replayed) parts.push("replayed");
  return parts.join(isFull ? " · " : " ");
}

export function formatStepLine(event: StepEvent, kind: DataKind): string {
  const width = String(event.totalSteps).length;
  return `step ${String(event.step).padStart(width)}/${event.totalSteps} · ${formatStep(event, kind)}`;
}

export function formatEvaluation(
  { step, split, loss, best }: EvaluationEvent,
  kind: DataKind,
): string {
  const figures =
    kind === "text"
      ? `loss ${loss.toFixed(3)} · ${formatBits(loss)} bits/char`
      : `loss ${loss.toPrecision(4)}`;
  return `${split} after step ${step} · ${figures}${best ? " · best so far" : ""}`;
}

function formatLearningRate(value: number): string {
  return value === 0 ? "0" : value.toExponential(1).replace("e+0", "");
}
