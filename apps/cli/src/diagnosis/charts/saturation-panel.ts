import { newest } from "../report/index.js";
import type { Report } from "../report/index.js";
import { categories } from "./dot-panels.js";
import { shortened, TEXT } from "./panel.js";
import type { Option, Panel } from "./panel.js";

const LEFT = "#5e4fa2";
const RIGHT = "#f0a030";

/** Up to the largest share, in tens of percent. */
function axisEnd(shares: readonly number[]): number {
  return Math.max(10, 10 * Math.ceil(10 * shares.reduce((a, b) => Math.max(a, b), 0)));
}

/** Share of each gate's values at its ends, left and right beside each other. */
export function saturationPanel({ variants }: Report): Panel {
  const rows = variants.flatMap((variant) =>
    newest(variant).layers.flatMap(({ name, gates }) =>
      gates.map(({ gate, left, right }) => ({
        name: [variant.label && shortened(variant.label, 24), name, gate]
          .filter((part) => part !== undefined)
          .join(" "),
        left,
        right,
      })),
    ),
  );
  const bars = (name: string, color: string, shares: readonly number[]): Option => ({
    type: "bar",
    stack: "saturation",
    name,
    barMaxWidth: 12,
    itemStyle: { color },
    data: shares.map((share) => Number((100 * share).toFixed(2))),
  });
  return {
    title: "Saturation of each gate",
    note: "share of the values at the left (violet) and the right end (orange) of sigmoid and tanh; zeros of a relu",
    xAxis: {
      type: "value",
      name: "% of the values",
      min: 0,
      max: axisEnd(rows.map(({ left, right }) => left + right)),
      nameLocation: "middle",
      nameGap: 26,
      nameTextStyle: TEXT,
      axisLabel: TEXT,
      splitLine: { lineStyle: { color: "#e5e5e5" } },
    },
    yAxis: categories(rows.map(({ name }) => name)),
    series: [
      bars(
        "left",
        LEFT,
        rows.map(({ left }) => left),
      ),
      bars(
        "right",
        RIGHT,
        rows.map(({ right }) => right),
      ),
    ],
    numRows: rows.length,
  };
}
