/** The norms by distance in time, drawn with characters on a logarithmic axis. */

import { plot } from "simple-ascii-chart";

import { normsOf } from "./report.js";
import type { DistanceCurve, DistanceOf } from "./report.js";

const [WIDTH, HEIGHT] = [72, 14];
const SYMBOLS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

type Point = [x: number, y: number];

/**
 * A chart with a letter for each curve, and what the letters stand for.
 *
 * @param xLabel what the distances are counted from
 */
export function distanceChart(
  curves: readonly DistanceCurve[],
  of: DistanceOf,
  xLabel: string,
): string {
  const lines = curves.map((curve) => acrossColumns(normsOf(curve, of)));
  const all = lines.flat();
  if (all.length === 0) return "  no gradient is above zero and finite: nothing to draw\n";
  const symbols = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    for (const point of line) symbols.set(point.join(), SYMBOLS[index % SYMBOLS.length] ?? "?");
  }
  const drawn = lines.filter((line) => line.length > 0);
  const chart = plot(drawn, {
    width: WIDTH,
    height: HEIGHT,
    xLabel,
    customXAxisTicks: ticks(all.map(([x]) => x)),
    customYAxisTicks: ticks(all.map(([, y]) => y)),
    formatter: (value, { axis }) => (axis === "y" ? `1e${value}` : value),
    lineFormatter: ({ x, y, plotX, plotY }) => ({
      x: plotX,
      y: plotY,
      symbol: symbols.get([x, y].join()) ?? "?",
    }),
  });
  const legend = curves.map(
    ({ name }, index) => `${SYMBOLS[index % SYMBOLS.length] ?? "?"} ${name}`,
  );
  const text = chart
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  return [...text, `  ${legend.join("   ")}`].map((line) => `${line}\n`).join("");
}

/**
 * A power of ten for each column, straight between the distances. No zeros, which end a curve, and
 * nothing that is not finite: a logarithmic axis has no place for them.
 */
function acrossColumns(norms: readonly number[]): Point[] {
  const last = norms.length - 1;
  const numColumns = last === 0 ? 1 : WIDTH;
  return Array.from({ length: numColumns }, (_, column): Point => {
    const x = numColumns === 1 ? 0 : (column * last) / (numColumns - 1);
    const [before, after] = [Math.floor(x), Math.ceil(x)];
    const share = x - before;
    const [from, to] = [Math.log10(norms[before] ?? 0), Math.log10(norms[after] ?? 0)];
    return [x, share === 0 ? from : from * (1 - share) + to * share];
  }).filter(([, y]) => Number.isFinite(y));
}

const MAX_TICKS = 6;

/** Some whole numbers from the smallest to the largest value. */
function ticks(values: readonly number[]): number[] {
  const low = Math.floor(values.reduce((a, b) => Math.min(a, b)));
  const high = Math.ceil(values.reduce((a, b) => Math.max(a, b)));
  const step = Math.max(1, Math.ceil((high - low) / (MAX_TICKS - 1)));
  const inside: number[] = [];
  for (let tick = low; tick <= high; tick += step) inside.push(tick);
  return inside;
}
