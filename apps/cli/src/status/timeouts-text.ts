/** Every time-out of a run: its value, where it comes from, and what happens when it fires. */

import { describeTimeouts } from "@ostinato/runtime/timeouts";
import type { DescribedTimeout } from "@ostinato/runtime/timeouts";

import { wrap } from "./wrap.js";

/** Values stand in a column of their own. */
const MARGIN = "  ";
const VALUE_WIDTH = 10;
const INDENT = MARGIN + " ".repeat(VALUE_WIDTH);

/**
 * @param whose says which deadline it is, such as "of run small-1a2b"
 * @param columns of the terminal
 */
export function timeoutsText(deadlineMs: number, whose: string, columns: number): string {
  const head =
    `deadline ${inSeconds(deadlineMs)}, ${whose}; cluster.deadlineSeconds sets it, and all that is not ` +
    "fixed follows";
  const lines = [...wrap(head, columns)];
  let owner: DescribedTimeout["owner"] | undefined;
  for (const timeout of describeTimeouts(deadlineMs)) {
    if (timeout.owner !== owner) lines.push("", timeout.owner);
    ({ owner } = timeout);
    const { what, then, derivation } = timeout;
    const value = inSeconds(timeout.milliseconds).padEnd(VALUE_WIDTH);
    const [first = "", ...rest] = [`${what} (${derivation})`, `→ ${then}`].flatMap((text) =>
      wrap(text, columns - INDENT.length),
    );
    lines.push(`${MARGIN}${value}${first}`, ...rest.map((line) => `${INDENT}${line}`));
  }
  return `${lines.join("\n")}\n`;
}

export function timeoutsJson(deadlineMs: number): object {
  return { event: "timeouts", deadlineMs, timeouts: describeTimeouts(deadlineMs) };
}

function inSeconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(3))} s`;
}
