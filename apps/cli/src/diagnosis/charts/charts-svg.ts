import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

import { curvesOf, newest, stacksOf } from "../report/index.js";
import type { Report } from "../report/index.js";
import { distancePanel, seriesName } from "./distance-panel.js";
import { layerPanel, updatePanel } from "./dot-panels.js";
import { shortened, TEXT } from "./panel.js";
import type { Box, ChartOption, Option, Panel } from "./panel.js";
import { saturationPanel } from "./saturation-panel.js";

use([
  BarChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  TitleComponent,
  SVGRenderer,
]);

const WIDTH = 1120;
const GAP = 24;
const HEAD = 74;
/** Of a panel's title and note, and of its axis. */
const [ABOVE, BELOW] = [44, 46];
const CURVES_HEIGHT = 250;
const ROW_HEIGHT = 17;
const CHARACTER_WIDTH = 6.3;

/**
 * Panels of the norms by distance in time (none for a loss of whole sequences; of each stack its own), the
 * gradient of each layer, saturation of each gate, update ratios.
 *
 * @returns an SVG of its own, on white
 */
export function chartsSvg(report: Report): string {
  const rows = rowsOf(report);
  const placed: { readonly panel: Panel; readonly box: Box }[] = [];
  let top = HEAD;
  for (const row of rows) {
    const height = Math.max(...row.map(heightOf));
    const width = (WIDTH - GAP * (row.length + 1)) / row.length;
    for (const [column, panel] of row.entries()) {
      placed.push({ panel, box: { left: GAP + column * (width + GAP), top, width, height } });
    }
    top += height + GAP;
  }
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: top });
  try {
    chart.setOption(optionOf(report, placed));
    return chart.renderToSVGString({ useViewBox: true });
  } finally {
    chart.dispose();
  }
}

function rowsOf(report: Report): readonly (readonly Panel[])[] {
  const stacks = stacksOf(report);
  const hidden = stacks.map((stack) => distancePanel(report, "hidden", stack));
  const gates = stacks.map((stack) => distancePanel(report, "gates", stack));
  const [layers, updates] = [layerPanel(report), updatePanel(report)];
  return stacks.length > 1
    ? [hidden, gates, [layers, updates], [saturationPanel(report)]]
    : [
        [...hidden, ...gates, layers],
        [saturationPanel(report), updates],
      ];
}

function heightOf({ numRows }: Panel): number {
  const inside =
    numRows === undefined ? CURVES_HEIGHT : Math.max(CURVES_HEIGHT / 2, numRows * ROW_HEIGHT);
  return ABOVE + inside + BELOW;
}

function optionOf(
  report: Report,
  placed: readonly { readonly panel: Panel; readonly box: Box }[],
): ChartOption {
  const curves = curvesOf(report);
  // Without distances no series is of a layer.
  const isNamed = stacksOf(report).length > 0 || report.comparedKey !== undefined;
  const names = isNamed ? [...new Set(curves.map((curve) => seriesName(report, curve)))] : [];
  return {
    animation: false,
    backgroundColor: "#ffffff",
    legend: {
      data: names,
      top: 40,
      left: GAP,
      itemGap: 18,
      textStyle: TEXT,
      icon: "roundRect",
      formatter: legendText,
    },
    title: [
      {
        text: titleOf(report),
        left: GAP,
        top: 14,
        padding: 0,
        textStyle: { ...TEXT, fontSize: 16 },
      },
      ...placed.map(({ panel, box }) => ({
        text: panel.title,
        subtext: panel.note,
        left: box.left,
        top: box.top,
        itemGap: 3,
        padding: 0,
        textStyle: { ...TEXT, fontSize: 13, fontWeight: "bold" },
        subtextStyle: { ...TEXT, color: "#666666", fontSize: 10 },
      })),
    ],
    grid: placed.map(({ panel, box }) => {
      const labels = labelWidth(panel);
      return {
        left: box.left + labels,
        top: box.top + ABOVE,
        width: box.width - labels - GAP / 2,
        height: box.height - ABOVE - BELOW,
      };
    }),
    xAxis: placed.map(({ panel }, gridIndex) => axisOf(panel.xAxis, gridIndex)),
    yAxis: placed.map(({ panel }, gridIndex) => axisOf(panel.yAxis, gridIndex)),
    series: placed.flatMap(({ panel }, axis) =>
      panel.series.map((series) => ({ ...series, xAxisIndex: axis, yAxisIndex: axis })),
    ),
  };
}

/** At the edge of its grid, not where the other axis is zero, which is 1 on a logarithmic one. */
function axisOf(axis: Option, gridIndex: number): Option {
  const axisLine = { show: true, lineStyle: { color: "#888888" }, onZero: false };
  return { ...axis, axisLine, gridIndex };
}

/** Room for the longest name at the left of a panel. */
function labelWidth({ yAxis }: Panel): number {
  const names = Array.isArray(yAxis["data"]) ? yAxis["data"].map(String) : ["and its name"];
  return 12 + CHARACTER_WIDTH * Math.max(...names.map((name) => name.length));
}

const legendText = (name: string): string => shortened(name, 80);

function titleOf({ file, comparedKey, variants }: Report): string {
  const steps = variants.map((variant) => newest(variant).step);
  const most = Math.max(...steps);
  const upTo = steps.every((step) => step === most) ? "" : "up to ";
  const when = most === 0 ? "before training" : `after ${upTo}${most} steps`;
  const what = comparedKey === undefined ? "" : ` by ${comparedKey}`;
  return `${file}${what}, ${when}`;
}
