/** One leaf's rows through a recurrent stack. */
import type { RecurrentStackSpec } from "../../src/index.js";
import { runCell } from "./cells.js";
import type { CellState } from "./cells.js";
import type { OracleMasks } from "./masks.js";
import { batchNormalized, layerNormalized } from "./normalization.js";
import type { OracleMoments, RunningStatistics } from "./normalization.js";
import type { OracleTensors, Sequence, Vector } from "./tensors.js";

/** [layer][direction][row] */
export type StackStates = readonly (readonly (readonly CellState[])[])[];

export interface StackCall {
  readonly spec: RecurrentStackSpec;
  readonly bidirectional: boolean;
  readonly prefix: string;
  readonly firstMaskLayer: number;
  readonly tensors: OracleTensors;
  readonly masks: OracleMasks;
  readonly running: RunningStatistics;
  /** The leaf's number. */
  readonly leaf: number;
  readonly inputs: Sequence;
  readonly initial: StackStates;
  /** What the hidden state of a direction is moved by after a step of its own order; nothing where left out. */
  readonly nudge?: (prefix: string, row: number, t: number) => Vector | undefined;
  /** Of each row, that batch normalization is of; all where left out. */
  readonly countedSteps?: readonly number[];
}

export interface StackResult {
  readonly outputs: Sequence;
  readonly final: StackStates;
  /** Of each layer with batch normalization, in training. */
  readonly moments: readonly OracleMoments[];
}

export function runStack(call: StackCall): StackResult {
  const { spec, tensors, masks, running } = call;
  const final: (readonly (readonly CellState[])[])[] = [];
  const moments: OracleMoments[] = [];
  let outputs = call.inputs;
  for (let layer = 0; layer < spec.numLayers; layer++) {
    const below = outputs;
    const read = layer === 0 ? below : betweenLayers(call, layer - 1, below);
    const recurrent = directions(call, layer, read);
    final.push(recurrent.final);
    const isResidual = spec.residual && layer > 0;
    outputs = isResidual ? sumOf(recurrent.outputs, below) : recurrent.outputs;
    const prefix = `${call.prefix}layers.${layer}.norm`;
    if (spec.normalization === "layer") outputs = layerNormalized(tensors, prefix, outputs);
    if (spec.normalization === "batch") {
      const fixed = masks.isTraining ? undefined : running(prefix);
      const normalized = batchNormalized(tensors, prefix, outputs, fixed, call.countedSteps);
      outputs = normalized.outputs;
      moments.push(normalized.moments);
    }
  }
  return { outputs, final, moments };
}

function betweenLayers(call: StackCall, layer: number, below: Sequence): Sequence {
  const { spec, leaf, firstMaskLayer } = call;
  return below.map((steps, row) => {
    const size = steps[0]!.length;
    const options = { leaf, row, size, rate: spec.dropout, layer: firstMaskLayer + layer };
    const mask = call.masks.dropout({ ...options, purpose: "dropout" }, spec.variationalDropout);
    return steps.map((x, t) => x.map((value, j) => value * mask(t, j)));
  });
}

function sumOf(a: Sequence, b: Sequence): Sequence {
  return a.map((steps, row) => steps.map((x, t) => x.map((value, j) => value + b[row]![t]![j]!)));
}

function directions(
  call: StackCall,
  layer: number,
  inputs: Sequence,
): { readonly outputs: Sequence; readonly final: readonly (readonly CellState[])[] } {
  const prefix = `${call.prefix}layers.${layer}`;
  const maskLayer = call.firstMaskLayer + layer;
  const [initial, initialBack] = call.initial[layer]!;
  if (!call.bidirectional) {
    const { outputs, final } = oneDirection(call, prefix, maskLayer, inputs, initial!);
    return { outputs, final: [final] };
  }
  // Schuster and Paliwal (1997): each row's own steps from last to first, then turned back.
  const turned = (sequence: Sequence): Sequence => sequence.map((steps) => [...steps].reverse());
  const ahead = oneDirection(call, `${prefix}.forward`, maskLayer, inputs, initial!);
  const back = oneDirection(
    call,
    `${prefix}.backward`,
    maskLayer + 65_536,
    turned(inputs),
    initialBack!,
  );
  const ofBack = turned(back.outputs);
  return {
    outputs: ahead.outputs.map((steps, row) => steps.map((x, t) => [...x, ...ofBack[row]![t]!])),
    final: [ahead.final, back.final],
  };
}

function oneDirection(
  { spec, tensors, masks, leaf, nudge }: StackCall,
  prefix: string,
  maskLayer: number,
  inputs: Sequence,
  initial: readonly CellState[],
): { readonly outputs: Sequence; readonly final: readonly CellState[] } {
  const rows = inputs.map((steps, row) => {
    const start = initial[row]!;
    const ofZoneout = { purpose: "zoneout", leaf, row } as const;
    const numWeights = start.h.length * tensors.of(`${prefix}.bias`).length;
    return runCell(spec, tensors, prefix, steps, start, {
      keepHidden: masks.zoneout({
        ...ofZoneout,
        layer: 2 * maskLayer,
        rate: spec.zoneoutHidden,
        size: start.h.length,
      }),
      keepCell: masks.zoneout({
        ...ofZoneout,
        layer: 2 * maskLayer + 1,
        rate: spec.zoneoutCell,
        size: start.c.length,
      }),
      weight: masks.shared("weightDropout", maskLayer, spec.weightDropout, numWeights),
      nudge: (t) => nudge?.(prefix, row, t),
    });
  });
  return { outputs: rows.map(({ outputs }) => outputs), final: rows.map(({ final }) => final) };
}
