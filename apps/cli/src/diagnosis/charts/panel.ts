import type { EChartsCoreOption } from "echarts/core";

/** Where a panel is, in pixels of the whole picture; the axes' names are inside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A part of the picture with axes of its own. */
export interface Panel {
  readonly title: string;
  /** Under the title. */
  readonly note: string;
  readonly xAxis: Option;
  readonly yAxis: Option;
  /** Without the axes that they belong to. */
  readonly series: readonly Option[];
  /** Rows of a panel of categories, which its height follows from; undefined for one of curves. */
  readonly numRows: number | undefined;
}

/** A part of what ECharts takes. */
export type Option = Readonly<Record<string, unknown>>;

export type ChartOption = EChartsCoreOption;

/** Okabe and Ito's colours (2008), which also the colour-blind can tell apart, then some more. */
export const COLOURS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#555555",
  "#a6761d",
] as const;

export const colourOf = (index: number): string => COLOURS[index % COLOURS.length] ?? COLOURS[0];

export const TEXT = { color: "#333333", fontFamily: "sans-serif", fontSize: 11 } as const;

/** A logarithmic axis of norms or ratios, from a power of ten to a power of ten. */
export function logarithmic(name: string, values: readonly number[]): Option {
  const shown = values.filter(isShown);
  const low = shown.reduce((a, b) => Math.min(a, b), Infinity);
  const high = shown.reduce((a, b) => Math.max(a, b), 0);
  const range =
    shown.length === 0
      ? { min: 0.1, max: 1 }
      : { min: powerBelow(low), max: Math.max(powerAbove(high), 10 * powerBelow(low)) };
  return {
    type: "log",
    name,
    ...range,
    nameTextStyle: TEXT,
    axisLabel: { ...TEXT, hideOverlap: true, formatter: inPowers },
    splitLine: { lineStyle: { color: "#e5e5e5" } },
    axisLine: { show: true, lineStyle: { color: "#888888" } },
  };
}

/** Whether a logarithmic axis has a place for it. */
export function isShown(value: number | undefined): value is number {
  return value !== undefined && value > 0 && Number.isFinite(value);
}

/** Down to what a float64 holds without losing digits. */
const powerBelow = (value: number): number => 10 ** Math.max(-300, Math.floor(Math.log10(value)));
const powerAbove = (value: number): number => 10 ** Math.min(300, Math.ceil(Math.log10(value)));

/** A text cut to a number of characters. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function inPowers(value: number): string {
  const exponent = Math.round(Math.log10(value));
  return exponent >= -2 && exponent <= 3 ? String(Number(value.toPrecision(1))) : `1e${exponent}`;
}
