import { curvesOf, normsOf, STACK_WORDS, stackOf } from "../report/index.js";
import type { DistanceCurve, DistanceOf, Report, Stack } from "../report/index.js";
import { colourOf, exponentOf, isShown, logarithmic, TEXT } from "./panel.js";
import type { Option, Panel } from "./panel.js";

/**
 * Norm by distance in time in one stack: a curve for each layer, dashed before training. The panels of the
 * same have the same axis of norms, whichever stack they are of.
 */
export function distancePanel(report: Report, of: DistanceOf, stack: Stack): Panel {
  const all = curvesOf(report);
  const isTrained = report.variants.some(({ end }) => end !== undefined);
  const allStart = isTrained ? curvesOf(report, (variant) => variant.start) : [];
  const isOwn = ({ layer }: DistanceCurve): boolean => stackOf(layer) === stack;
  const [newest, start] = [all.filter(isOwn), allStart.filter(isOwn)];
  const isCompared = report.comparedKey !== undefined;
  const marks: Marks = {
    isLayered: isCompared && newest.some((found) => layerIndex(found) > 0),
    isDirected: isCompared && newest.some(isBackward),
  };
  const [title, note] = headOf(of, stack, marks);
  // As much as there is room for under each.
  const further =
    of === "hidden"
      ? [isTrained && "dashed: before training"]
      : [
          marks.isLayered && "thicker: higher layers",
          marks.isDirected && "dotted: from last to first",
        ];
  const norms = [...allStart, ...all].flatMap((found) => normsOf(found, of));
  const curve = (found: DistanceCurve, isStart: boolean): Option => ({
    type: "line",
    name: seriesName(report, found),
    showSymbol: false,
    itemStyle: { color: colourOf(seriesIndex(report, found, all)) },
    lineStyle: {
      color: colourOf(seriesIndex(report, found, all)),
      type: dashesOf(found, isStart, marks),
      width: widthOf(found, isStart, marks),
      opacity: isStart ? 0.7 : 1,
    },
    data: pointsOf(normsOf(found, of), start.length + newest.length),
  });
  return {
    title,
    note: [note, ...further.filter((part) => part !== false)].join("; "),
    xAxis: {
      type: "value",
      name: `time steps back from ${STACK_WORDS[stack].lastStep}`,
      min: 0,
      max: Math.max(1, ...newest.map((found) => normsOf(found, of).length - 1)),
      minInterval: 1,
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

function headOf(
  of: DistanceOf,
  stack: Stack,
  { isDirected }: Marks,
): readonly [title: string, note: string] {
  const { name, loss } = STACK_WORDS[stack];
  const whose = name === undefined ? "" : `: ${name}`;
  return of === "hidden"
    ? [`How far a gradient reaches back${whose}`, `‖∂L/∂h‖ ${loss}`]
    : [
        `The same at the gates${whose}`,
        `‖∂L/∂gates‖${isDirected ? "" : ", from which weights learn"}`,
      ];
}

/** Variants have a colour each where they are compared, else layers have. */
export function seriesName(
  { comparedKey, variants }: Report,
  { variant, layer }: DistanceCurve,
): string {
  if (comparedKey === undefined) return layer.name;
  return variants[variant]?.label || `variant ${variant + 1}`;
}

function seriesIndex(
  { comparedKey }: Report,
  { variant, layer }: DistanceCurve,
  all: readonly DistanceCurve[],
): number {
  if (comparedKey !== undefined) return variant;
  return all.findIndex((other) => other.layer.name === layer.name);
}

/** What is told apart by the look of a line where colours tell variants apart. */
interface Marks {
  readonly isLayered: boolean;
  readonly isDirected: boolean;
}

const isBackward = ({ layer }: DistanceCurve): boolean => layer.name.endsWith(".backward");

function dashesOf(
  found: DistanceCurve,
  isStart: boolean,
  { isDirected }: Marks,
): "solid" | readonly number[] {
  const isDotted = isDirected && isBackward(found);
  if (isStart) return isDotted ? [3, 3, 1, 3] : [3, 3];
  return isDotted ? [1.5, 2] : "solid";
}

const layerIndex = ({ layer }: DistanceCurve): number => indexOf(layer);

/** 1 of `layers.1.forward`. */
function indexOf({ name }: { readonly name: string }): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

/** Thin curves for the start; of several layers, the higher the thicker. */
function widthOf(found: DistanceCurve, isStart: boolean, { isLayered }: Marks): number {
  if (!isLayered) return isStart ? 1 : 1.6;
  const highest = Math.max(1, ...found.diagnosis.layers.map(indexOf));
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
