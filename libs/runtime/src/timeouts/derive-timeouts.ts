/** From one deadline to every time-out. */

import type {
  FixedTimeoutName,
  TimeoutName,
  TimeoutOwner,
  TimeoutRow,
  TimeoutRule,
} from "./table.js";
import { TIMEOUT_TABLE } from "./table.js";

/** In whole milliseconds, by name. */
export type Timeouts = Readonly<Record<TimeoutName, number>>;

/** A time-out as a person reads of it. */
export interface DescribedTimeout {
  readonly name: TimeoutName;
  readonly owner: TimeoutOwner;
  readonly milliseconds: number;
  /** Such as "1/3 of the deadline", "the deadline, at most 5 s" or "fixed". */
  readonly derivation: string;
  readonly what: string;
  readonly then: string;
}

const NAMES = Object.keys(TIMEOUT_TABLE) as readonly TimeoutName[];

/** What a process goes by that was not told of its run's deadline. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** Those that are the same whatever the deadline is, for whoever knows none. */
export const FIXED_TIMEOUTS = Object.fromEntries(
  NAMES.flatMap((name) => {
    const row: TimeoutRow = TIMEOUT_TABLE[name];
    return "fixedMs" in row ? [[name, row.fixedMs]] : [];
  }),
) as Readonly<Record<FixedTimeoutName, number>>;

/** Every time-out that follows from a deadline, and those that do not. */
export function deriveTimeouts(deadlineMs: number): Timeouts {
  const entries = NAMES.map((name) => [name, valueOf(TIMEOUT_TABLE[name], deadlineMs)] as const);
  return Object.fromEntries(entries) as Timeouts;
}

/** The same with where each comes from and what it does, in the order of the table. */
export function describeTimeouts(deadlineMs: number): readonly DescribedTimeout[] {
  return NAMES.map((name) => {
    const row: TimeoutRow = TIMEOUT_TABLE[name];
    const { owner, what, then } = row;
    const milliseconds = valueOf(row, deadlineMs);
    return { name, owner, milliseconds, derivation: derivationOf(row), what, then };
  });
}

function valueOf(rule: TimeoutRule, deadlineMs: number): number {
  if ("fixedMs" in rule) return rule.fixedMs;
  const { deadlines, atLeastMs = 1, atMostMs = Infinity } = rule;
  return Math.round(Math.min(Math.max(deadlines * deadlineMs, atLeastMs), atMostMs));
}

function derivationOf(rule: TimeoutRule): string {
  if ("fixedMs" in rule) return "fixed";
  const { deadlines, atLeastMs, atMostMs } = rule;
  const bounds = [
    ...(atLeastMs === undefined ? [] : [`at least ${inSeconds(atLeastMs)}`]),
    ...(atMostMs === undefined ? [] : [`at most ${inSeconds(atMostMs)}`]),
  ];
  return [partOf(deadlines), ...bounds].join(", ");
}

function partOf(deadlines: number): string {
  if (deadlines === 1) return "the deadline";
  return deadlines > 1
    ? `${deadlines} deadlines`
    : `1/${Math.round(1 / deadlines)} of the deadline`;
}

function inSeconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}
