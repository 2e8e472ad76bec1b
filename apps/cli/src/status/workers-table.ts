/** The workers of a run, a line each, as wide as the terminal at most. */

import type { StatusReply, WorkerStatus } from "@ostinato/proto";

import { formatCount, formatDuration } from "../progress/index.js";

const NONE = "–";
const GAP = "  ";
/** A column is not cut to less. */
const NARROWEST = 6;

interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  readonly of: (worker: WorkerStatus) => string;
  /** The higher, the sooner it is cut where the terminal is too narrow; undefined: never. */
  readonly cut?: number;
}

const COLUMNS: readonly Column[] = [
  { title: "worker", align: "left", of: ({ workerId }) => workerId },
  { title: "name", align: "left", of: ({ name }) => name, cut: 2 },
  { title: "state", align: "left", of: ({ state }) => state },
  { title: "here", align: "right", of: ({ hereSeconds }) => formatDuration(hereSeconds) },
  { title: "leaves", align: "left", of: ({ leaves }) => runsOf(leaves), cut: 1 },
  { title: "phase", align: "left", of: ({ phase }) => phase || NONE },
  {
    title: "moved",
    align: "right",
    of: ({ phase, sinceProgressMs }) =>
      phase === "" ? NONE : `${(sinceProgressMs / 1000).toFixed(1)} s`,
  },
  {
    title: "samples/s",
    align: "right",
    of: ({ samplesPerSecond }) => formatCount(samplesPerSecond),
  },
];

export function workersTable(
  { workers, minWorkers }: Pick<StatusReply, "workers" | "minWorkers">,
  columns: number,
): readonly string[] {
  const minimum = minWorkers === 1 ? "" : `, at least ${minWorkers} for a step to begin`;
  if (workers.length === 0) return [`no workers${minimum}`];
  const rows = workers.map((worker) => COLUMNS.map((column) => column.of(worker)));
  const widths = fittingWidths(
    COLUMNS.map(({ title }, index) =>
      Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
    ),
    columns,
  );
  const line = (cells: readonly string[]): string =>
    COLUMNS.map(({ align }, index) => padded(cells[index] ?? "", widths[index] ?? 0, align))
      .join(GAP)
      .trimEnd();
  const numActive = workers.filter(({ state }) => state === "active").length;
  const others = workers.length - numActive;
  const count = `${numActive} active${others === 0 ? "" : `, ${others} not`}${minimum}`;
  return [`workers: ${count}`, line(COLUMNS.map(({ title }) => title)), ...rows.map(line)];
}

/** Cuts what may be cut, until everything fits or nothing more can be cut. */
function fittingWidths(widths: readonly number[], columns: number): readonly number[] {
  const fitting = [...widths];
  const order = COLUMNS.map(({ cut }, index) => ({ cut, index }))
    .filter(({ cut }) => cut !== undefined)
    .sort((a, b) => (b.cut ?? 0) - (a.cut ?? 0));
  for (const { index } of order) {
    const total = fitting.reduce((sum, width) => sum + width, GAP.length * (fitting.length - 1));
    const width = fitting[index] ?? 0;
    fitting[index] = Math.max(Math.min(width, NARROWEST), width - Math.max(0, total - columns));
  }
  return fitting;
}

function padded(text: string, width: number, align: Column["align"]): string {
  const cut = text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
  return align === "left" ? cut.padEnd(width) : cut.padStart(width);
}

/** Leaves as runs: 0–5,9. */
function runsOf(leaves: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const leaf of leaves) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === leaf - 1) run[1] = leaf;
    else runs.push([leaf, leaf]);
  }
  const words = runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return words.length === 0 ? NONE : words.join(",");
}
