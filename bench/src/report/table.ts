import Table from "cli-table3";

import type { Ratio, SideResult } from "../interleaving/index.js";
import type { BenchTable, CaseResult } from "./report.js";

/** The results for people: a line for everyone who was measured. */
export function formatResults(results: readonly CaseResult[]): string {
  const table = new Table({
    head: [
      "row",
      "case",
      "who",
      "ms (min to max)",
      "a second",
      "times as fast as (min to max)",
      "bar",
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "left", "right", "right", "left", "left"],
  });
  for (const result of results) {
    for (const side of result.sides) {
      const ratios = result.ratios.filter(({ of }) => of === side.side);
      table.push([
        result.row,
        result.case,
        side.side,
        `${short(side.medianMs)} (${short(side.minMs)} to ${short(side.maxMs)})`,
        rate(result, side),
        ratios.map(ratioText).join("\n"),
        barText(result, side, ratios),
      ]);
    }
  }
  return table.toString();
}

/** Below its title. */
export function formatTable({ title, columns, rows }: BenchTable): string {
  const table = new Table({
    head: [...columns],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return `${title}\n${table.toString()}`;
}

function ratioText({ to, median, min, max }: Ratio): string {
  return `${median.toFixed(2)} × ${to} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

function barText(
  { barMs }: CaseResult,
  { medianMs }: SideResult,
  ratios: readonly Ratio[],
): string {
  if (barMs !== null) return `${met(medianMs <= barMs)} ≤ ${barMs} ms`;
  return ratios
    .map(({ bar, median }) => (bar === null ? "" : `${met(median >= bar)} ≥ ${bar}`))
    .join("\n");
}

const met = (isMet: boolean): string => (isMet ? "met" : "not met:");

function rate({ work }: CaseResult, { medianMs }: SideResult): string {
  if (work === null) return "";
  return `${short((work.amount / medianMs) * 1000)} ${work.unit}`;
}

/** Three significant digits, and no exponent. */
function short(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
}
