import { curvesOf, normsOf } from "../report/index.js";
import type { DistanceCurve, DistanceOf, Report } from "../report/index.js";
import { colourOf, exponentOf, isShown, logarithmic, TEXT } from "./panel.js";
import type { Option, Panel } from "./panel.js";

/** Of each panel. */
const TITLES: Readonly<Record<DistanceOf, readonly [title: string, note: string]>> = {
  hidden: ["How far a gradient reaches back", "‖∂L/∂h‖ of a loss at the last step alone"],
  gates: ["The same at the gates", "‖∂L/∂gates‖, from which weights learn"],
};

/** Norm by distance in time: a curve for each layer, dashed before training. */
export function distancePanel(report: Report, of: DistanceOf): Panel {
  const newest = curvesOf(report);
  const isTrained = report.variants.some(({ end }) => end !== undefined);
  const start = isTrained ? curvesOf(report, (variant) => variant.start) : [];
  const isLayered = report.comparedKey !== undefined && newest.some(({ layer }) => !isFirst(layer));
  const [title, note] = TITLES[of];
  // As much as there is room for under each.
  const further =
    of === "hidden"
      ? isTrained && "dashed: before training"
      : isLayered && "thicker: higher layers";
  const norms = [...start, ...newest].flatMap((found) => normsOf(found, of));
  const curve = (found: DistanceCurve, isStart: boolean): Option => ({
    type: "line",
    name: seriesName(report, found),
    showSymbol: false,
    itemStyle: { color: colourOf(seriesIndex(report, found, newest)) },
    lineStyle: {
      color: colourOf(seriesIndex(report, found, newest)),
      type: isStart ? [3, 3] : "solid",
      width: widthOf(found, isStart, isLayered),
      opacity: isStart ? 0.7 : 1,
    },
    data: pointsOf(normsOf(found, of), start.length + newest.length),
  });
  return {
    title,
    note: further === false ? note : `${note}; ${further}`,
    xAxis: {
      type: "value",
      name: "time steps back from the last one",
      min: 0,
      max: Math.max(1, ...newest.map((found) => normsOf(found, of).length - 1)),
      nameLocation: "middle",
      nameGap: 26,
      nameTextStyle: TEXT,
      axisLabel: TEXT,
      splitLine: { show: false },
    },
    yAxis: { ...logarithmic("norm", norms), nameLocation: "middle", nameGap: 44 },
    series: [
      ...start.map((found) => curve(found, true)),
      ...newest.map((found) => curve(found, false)),
    ],
    numRows: undefined,
  };
}

/** Variants have a colour each where they are compared, else layers have. */
export function seriesName(
  { comparedKey }: Report,
  { variant, layer, name }: DistanceCurve,
): string {
  return comparedKey === undefined ? layer.name : labelOf(variant, name);
}

function labelOf(variant: number, name: string): string {
  return name.replace(/ layers\.[\w.]+$/, "") || `variant ${variant + 1}`;
}

function seriesIndex(
  { comparedKey }: Report,
  { variant, layer }: DistanceCurve,
  all: readonly DistanceCurve[],
): number {
  if (comparedKey !== undefined) return variant;
  return all.findIndex((other) => other.layer.name === layer.name);
}

function layerIndex({ layer }: DistanceCurve): number {
  return Number(/\d+/.exec(layer.name)?.[0] ?? 0);
}

const isFirst = ({ name }: { readonly name: string }): boolean => name === "layers.0";

/** Thin curves for the start; of several layers, the higher the thicker. */
function widthOf(found: DistanceCurve, isStart: boolean, isLayered: boolean): number {
  if (!isLayered) return isStart ? 1 : 1.6;
  const highest = Math.max(1, found.diagnosis.layers.length - 1);
  return (0.8 + (1.8 * layerIndex(found)) / highest) * (isStart ? 0.6 : 1);
}

/** Of all curves of a panel together: what keeps the file small. */
const MAX_POINTS = 600;
const FEWEST_POINTS = 40;

/** Some of the points where there are more than can be seen; the first and the last always. */
function pointsOf(
  norms: readonly number[],
  numCurves: number,
): readonly (readonly [number, number | null])[] {
  const numPoints = Math.max(FEWEST_POINTS, MAX_POINTS / numCurves);
  const stride = Math.max(1, Math.ceil(norms.length / numPoints));
  return norms.flatMap((norm, k) => {
    if (k % stride !== 0 && k !== norms.length - 1) return [];
    return [[k, isShown(norm) ? exponentOf(norm) : null] as const];
  });
}
