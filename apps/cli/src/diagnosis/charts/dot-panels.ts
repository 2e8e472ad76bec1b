import type { Diagnosis } from "@ostinato/lstm/model";

import { newest } from "../report/index.js";
import type { Report } from "../report/index.js";
import { colourOf, exponentOf, isShown, logarithmic, TEXT } from "./panel.js";
import type { Option, Panel } from "./panel.js";

interface Named {
  readonly name: string;
  readonly value: number | undefined;
}

/** Norm of the gradient of each layer: a dot for each variant. */
export function layerPanel(report: Report): Panel {
  return dots(report, {
    title: "Gradient of each layer",
    note: "norm of the averaged gradient, before clipping",
    axis: "norm",
    valuesOf: ({ gradient }) => gradient.layers.map(({ name, norm }) => ({ name, value: norm })),
    reference: undefined,
  });
}

/** How much the next update changes each tensor. */
export function updatePanel(report: Report): Panel {
  return dots(report, {
    title: "Update-to-weight ratio of each tensor",
    note: "‖Δw‖ / ‖w‖ of the next update; the line is at 1/1000; tensors of zeros have none",
    axis: "ratio",
    valuesOf: ({ update }) =>
      (update?.tensors ?? []).map(({ name, ratio }) => ({ name, value: ratio })),
    reference: 1e-3,
  });
}

interface DotsRequest {
  readonly title: string;
  readonly note: string;
  /** Name of the axis. */
  readonly axis: string;
  readonly valuesOf: (diagnosis: Diagnosis) => readonly Named[];
  readonly reference: number | undefined;
}

function dots(report: Report, { title, note, axis, valuesOf, reference }: DotsRequest): Panel {
  const found = report.variants.map((variant) => valuesOf(newest(variant)));
  const names = [...new Set(found.flatMap((values) => values.map(({ name }) => name)))];
  const all = found.flatMap((values) => values.map(({ value }) => value)).filter(isShown);
  const line = (value: number): Option => ({
    type: "line",
    name: "reference",
    showSymbol: false,
    silent: true,
    lineStyle: { color: "#444444", type: [4, 3], width: 1 },
    data: [names[0], names.at(-1)].map((name) => [exponentOf(value), name]),
  });
  return {
    title,
    note,
    xAxis: {
      ...logarithmic(axis, reference === undefined ? all : [...all, reference / 2]),
      nameLocation: "middle",
      nameGap: 26,
    },
    yAxis: categories(names),
    series: [
      ...(reference === undefined ? [] : [line(reference)]),
      ...found.map((values, variant) => ({
        type: "scatter",
        name: report.variants[variant]?.label ?? "all",
        symbolSize: 8,
        itemStyle: { color: colourOf(variant), opacity: 0.85 },
        data: values.flatMap(({ name, value }) =>
          isShown(value) ? [[exponentOf(value), name]] : [],
        ),
      })),
    ],
    numRows: names.length,
  };
}

/** Names under each other, the first at the top. */
export function categories(names: readonly string[]): Option {
  return {
    type: "category",
    data: names,
    inverse: true,
    axisLabel: { ...TEXT, interval: 0 },
    axisTick: { show: false },
    splitLine: { show: true, lineStyle: { color: "#f2f2f2" } },
  };
}
