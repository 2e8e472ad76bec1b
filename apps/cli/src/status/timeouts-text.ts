/** Every time-out of a run: its value, where it comes from, and what happens when it fires. */

import { describeTimeouts } from "@ostinato/runtime/timeouts";
import type { DescribedTimeout } from "@ostinato/runtime/timeouts";

import { wrap } from "./wrap.js";

const INDENT = "    ";

/**
 * @param whose says which deadline it is, such as "of run small-1a2b"
 * @param columns of the terminal
 */
export function timeoutsText(deadlineMs: number, whose: string, columns: number): string {
  const lines = [
    ...wrap(
      `deadline ${inSeconds(deadlineMs)}, ${whose}; cluster.deadlineSeconds sets it, and everything below that is not fixed follows`,
      columns,
    ),
  ];
  let owner: DescribedTimeout["owner"] | undefined;
  for (const timeout of describeTimeouts(deadlineMs)) {
    if (timeout.owner !== owner) lines.push("", timeout.owner);
    ({ owner } = timeout);
    lines.push(...wrap(`  ${headOf(timeout)}`, columns));
    lines.push(
      ...wrap(`after it: ${timeout.then}`, columns - INDENT.length).map(
        (line) => `${INDENT}${line}`,
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

export function timeoutsJson(deadlineMs: number): object {
  return { event: "timeouts", deadlineMs, timeouts: describeTimeouts(deadlineMs) };
}

function headOf({ what, milliseconds, derivation }: DescribedTimeout): string {
  return `${what}: ${inSeconds(milliseconds)} (${derivation})`;
}

function inSeconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(3))} s`;
}
