/** A diagnosis as tables and a chart of characters. Pure. */

import type { Diagnosis } from "@ostinato/lstm/model";

import type { VariantDiagnosis } from "../diagnose-config.js";
import { distanceChart } from "./distance-chart.js";
import { curvesOf, newest, normsOf } from "./report.js";
import type { DistanceCurve, DistanceOf, Report } from "./report.js";
import { STACK_WORDS, stackOf, stacksOf } from "./stacks.js";
import type { Stack } from "./stacks.js";
import { percent, short, table } from "./table.js";

export function diagnosisText(report: Report): string {
  const { comparedKey, variants } = report;
  const isTrained = variants.some(({ end }) => end !== undefined);
  const sections = [
    isTrained ? trainingText(report) : "",
    ...distancesText(report),
    ...variants.map((variant) => variantText(variant, comparedKey)),
  ];
  return sections.filter((text) => text !== "").join("\n");
}

const NO_DISTANCES =
  "no gradient norm by distance in time: the loss 'ctc' is of whole sequences, not of their last step\n";

function distancesText(report: Report): readonly string[] {
  const stacks = stacksOf(report);
  if (stacks.length === 0) return [NO_DISTANCES];
  return [
    ...stacks.map((stack) => stackText(report, stack)),
    "the same of the gates, which the weights' gradients are formed from (∂L/∂gates)\n" +
      distanceTable(report, stacks, "gates"),
  ];
}

/** Each stack's own: its steps are not those of another. */
function stackText(report: Report, stack: Stack): string {
  const { name, loss, lastStep } = STACK_WORDS[stack];
  const whose = name === undefined ? "" : ` in the ${name}`;
  const curves = curvesOf(report).filter(({ layer }) => stackOf(layer) === stack);
  return (
    `gradient norm by distance in time${whose}, ${loss}: of the hidden state (∂L/∂h, root mean square over the rows)\n` +
    distanceTable(report, [stack], "hidden") +
    distanceChart(curves, "hidden", `time steps back from ${lastStep}`)
  );
}

function trainingText({ comparedKey, variants }: Report): string {
  const rows = variants.map(({ label, start, end, training }) => [
    label ?? "model",
    String(training?.steps ?? 0),
    short(start.loss),
    short(end?.loss),
    short(training?.gradientNorms.reduce((a, b) => Math.max(a, b), 0)),
    training === undefined || training.steps === 0
      ? "–"
      : percent(training.clippedSteps / training.steps),
  ]);
  const stops = variants.flatMap(({ label, training }) =>
    training?.stopped === undefined
      ? []
      : [`  ${label ?? "training"} stopped: ${training.stopped}\n`],
  );
  const head = ["steps", "loss before", "loss after", "largest |g|", "clipped"];
  return `training\n${table([comparedKey ?? "", ...head], rows)}${stops.join("")}`;
}

function distanceTable(report: Report, stacks: readonly Stack[], of: DistanceOf): string {
  const isOwn = ({ layer }: DistanceCurve): boolean => stacks.includes(stackOf(layer));
  const last = curvesOf(report).filter(isOwn);
  const start = curvesOf(report, ({ start: first, end }) =>
    end === undefined ? undefined : first,
  ).filter(isOwn);
  const curves = last.flatMap((curve) => [
    ...start.filter(({ name, variant }) => name === curve.name && variant === curve.variant),
    curve,
  ]);
  const rows = curves.map((curve) => {
    const norms = normsOf(curve, of);
    const furthest = norms.length - 1;
    return [
      curve.name,
      String(curve.diagnosis.step),
      short(norms[0]),
      short(norms[Math.round(furthest / 2)]),
      short(norms[furthest]),
      String(furthest),
      short(curve.layer.byDistance?.[of].factorPerStep),
    ];
  });
  const head = ["layer", "after step", "last step", "half-way", "first step", "steps back"];
  return table([...head, "factor a step"], rows);
}

function variantText(variant: VariantDiagnosis, key: string | undefined): string {
  const { label } = variant;
  const diagnosis = newest(variant);
  const whose = label === undefined ? "" : `${key ?? ""} = ${label}, `;
  return [
    `${whose}after step ${diagnosis.step}: loss ${short(diagnosis.loss)}, |g| ${short(diagnosis.gradient.global)}\n`,
    `${layersTable(diagnosis)}\n`,
    saturationTable(diagnosis),
    `\n${tensorsTable(diagnosis)}`,
  ].join("");
}

function layersTable({ gradient, layers }: Diagnosis): string {
  const rows = gradient.layers.map(({ name, norm }) => {
    const own = layers.filter((layer) => layer.name === name || layer.name.startsWith(`${name}.`));
    const fromAbove = own.map((layer) => short(layer.outputGradientNorm)).join(" + ");
    return [name, short(norm), fromAbove];
  });
  return table(["gradient of layer", "norm", "arrives at its outputs"], rows);
}

function saturationTable({ layers }: Diagnosis): string {
  const rows = layers.flatMap(({ name, gates }) =>
    gates.map(({ gate, activation, left, right }) => [
      `${name} ${gate}`,
      activation,
      percent(left),
      activation === "relu" ? "–" : percent(right),
    ]),
  );
  return table(["saturated gates", "activation", "left (relu: zero)", "right"], rows);
}

function tensorsTable({ gradient, update }: Diagnosis): string {
  const ratios = new Map(update?.tensors.map((tensor) => [tensor.name, tensor]));
  const rows = gradient.tensors.map(({ name, norm }) => {
    const ofTensor = ratios.get(name);
    return [
      name,
      short(norm),
      short(ofTensor?.weightNorm),
      short(ofTensor?.updateNorm),
      short(ofTensor?.ratio),
    ];
  });
  const told =
    update === undefined
      ? "  there is no next update: it is not finite\n"
      : `  next update: learning rate ${short(update.learningRate)}${update.clipped ? ", clipped" : ""}\n`;
  return table(["tensor", "gradient", "weights", "update", "update/weights"], rows) + told;
}
