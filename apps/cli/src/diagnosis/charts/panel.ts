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

const MAX_INTERVALS = 6;

/**
 * An axis of powers of ten, from one to another. It takes {@link exponentOf} a value: ECharts' own
 * logarithmic axis has two ticks where there are ten decades.
 */
export function logarithmic(name: string, values: readonly number[]): Option {
  const exponents = values.filter(isShown).map(exponentOf);
  const low = Math.floor(exponents.reduce((a, b) => Math.min(a, b), Infinity));
  const high = Math.ceil(exponents.reduce((a, b) => Math.max(a, b), -Infinity));
  const [min, max] = exponents.length === 0 ? [-1, 0] : [low, Math.max(high, low + 1)];
  const interval = Math.max(1, Math.ceil((max - min) / MAX_INTERVALS));
  return {
    type: "value",
    name,
    // From a tick to a tick, downwards from the top.
    min: max - interval * Math.ceil((max - min) / interval),
    max,
    interval,
    nameTextStyle: TEXT,
    axisLabel: { ...TEXT, formatter: inPowers },
    splitLine: { lineStyle: { color: "#e5e5e5" } },
  };
}

/** Where a value that {@link isShown} is on a logarithmic axis. */
export function exponentOf(value: number): number {
  return Number(Math.log10(value).toFixed(4));
}

/** Whether a logarithmic axis has a place for it. */
export function isShown(value: number | undefined): value is number {
  return value !== undefined && value > 0 && Number.isFinite(value);
}

/** A text cut to a number of characters. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function inPowers(exponent: number): string {
  return exponent >= -2 && exponent <= 3 ? String(10 ** exponent) : `1e${exponent}`;
}
