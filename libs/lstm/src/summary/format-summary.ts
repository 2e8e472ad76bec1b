import type { LayerSummary, ModelSummary } from "./model-summary.js";

/** Of each row of the table. */
type Cells = readonly [
  layer: string,
  tensor: string,
  shape: string,
  parameters: string,
  activations: string,
];

const HEADER: Cells = ["layer", "tensor", "shape", "parameters", "activations"];
/** Columns of numbers. */
const FIRST_RIGHT_ALIGNED = 3;

/** A summary as a text table with a line for each tensor, and its sums below. */
export function formatSummary(summary: ModelSummary): string {
  const { kind, layers, parameters, activations, memory, options } = summary;
  const rows = [HEADER, ...layers.flatMap(layerRows)];
  const total: Cells = ["total", "", "", grouped(parameters), grouped(activations)];
  const widths = HEADER.map((_, column) =>
    Math.max(...[...rows, total].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: Cells): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < FIRST_RIGHT_ALIGNED ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  const rule = "-".repeat(line(total).length);
  const steps =
    kind === "encoderDecoder"
      ? `${options.sourceSteps} source and ${options.steps} target steps`
      : `${options.steps} steps`;
  return [
    kind,
    ...rows.map(line),
    rule,
    line(total),
    "",
    `memory of a training step with ${options.rows} rows × ${steps}:`,
    `  parameters       ${bytes(memory.parameterBytes)}`,
    `  optimizer state  ${bytes(memory.optimizerBytes)} (${options.optimizerSlots} × parameters)`,
    `  activations      ${bytes(memory.activationBytes)}`,
    `  total            ${bytes(memory.totalBytes)}`,
    "",
  ].join("\n");
}

/** A line for each tensor; name and activations stand on the first one. */
function layerRows({ name, tensors, activations }: LayerSummary): Cells[] {
  if (tensors.length === 0) return [[name, "", "", "", grouped(activations)]];
  return tensors.map((tensor, index) => [
    index === 0 ? name : "",
    tensor.name.slice(name.length + 1),
    tensor.shape.join(" × "),
    grouped(tensor.size),
    index === 0 ? grouped(activations) : "",
  ]);
}

/** 1234567 as 1,234,567. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}
