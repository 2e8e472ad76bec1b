/** Recurrent stacks by themselves, as the models with sequences use them: a pass of plain arrays. */
import { tensor2d, tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { ParameterLayout, RecurrentStackSpec, TensorLayout } from "../src/index.js";
import { cellSizes, stackOutputSize, stackTensors } from "../src/layout/index.js";
import type { BatchLeaf } from "../src/model/index.js";
import { recurrentStack } from "../src/model/layers/index.js";
import type { LayerState } from "../src/model/layers/index.js";
import {
  inTensorScope,
  leafNodes,
  Padding,
  ParameterTensors,
  Progress,
} from "../src/model/pass/index.js";
import type { PassObserver, RunningMoments } from "../src/model/pass/index.js";
import { randomValues } from "./language-models.js";

export interface StackModel {
  readonly spec: RecurrentStackSpec;
  readonly bidirectional: boolean;
  readonly prefix: string;
  readonly firstMaskLayer: number;
  readonly inputSize: number;
}

export function stackLayout({ spec, ...shape }: StackModel): ParameterLayout {
  const tensors: TensorLayout[] = [];
  let offset = 0;
  for (const { name, shape: extents } of stackTensors(spec, shape)) {
    const size = extents.reduce((product, extent) => product * extent, 1);
    tensors.push({ name, shape: extents, offset, size });
    offset += size;
  }
  return { tensors, size: offset };
}

/** Values of one row: [time][unit], and its states [layer][direction]. */
export interface StackRow {
  readonly inputs: readonly Float32Array[];
  readonly initial: readonly (readonly RowState[])[];
  /** Gradients that arrive from above: at each step's outputs, and at the final states. */
  readonly gradient: readonly Float32Array[];
  readonly finalGradient: readonly (readonly RowState[])[];
}

export interface RowState {
  readonly h: Float32Array;
  /** Empty but for an LSTM. */
  readonly c: Float32Array;
}

/** A row of so many steps that does not depend on the others. */
export function randomRow(model: StackModel, numSteps: number, seed: number): StackRow {
  const values = randomValues(seed);
  const { spec, bidirectional, inputSize } = model;
  const { outputSize, hiddenSize, hasCellState } = cellSizes(spec);
  const steps = (size: number): Float32Array[] =>
    Array.from({ length: numSteps }, () => values(size));
  const states = (): RowState[][] =>
    Array.from({ length: spec.numLayers }, () =>
      Array.from({ length: bidirectional ? 2 : 1 }, () => ({
        h: values(outputSize),
        c: values(hasCellState ? hiddenSize : 0),
      })),
    );
  return {
    inputs: steps(inputSize),
    initial: states(),
    gradient: steps(stackOutputSize(spec, bidirectional)),
    finalGradient: states(),
  };
}

export interface StackRunOptions {
  readonly model: StackModel;
  readonly parameters: Float32Array;
  /** Of each leaf. */
  readonly leaves: readonly { readonly leaf: number; readonly rows: readonly StackRow[] }[];
  /** Undefined in evaluation, where there is no way back. */
  readonly training: { readonly seed: number; readonly step: number } | undefined;
  readonly running?: (name: string) => RunningMoments;
  /** Steps of the batch; by default those of its longest row. */
  readonly numSteps?: number;
  /** What stands in the padding of the gradient that arrives; 0 by default. */
  readonly gradientInPadding?: number;
  readonly observer?: PassObserver;
  /** Tells the rows' lengths also where all are as long as the batch. */
  readonly alwaysPadded?: boolean;
}

/** What a row came to: [time][unit] of its own steps. */
export interface StackRowResult {
  readonly outputs: readonly Float32Array[];
  readonly final: readonly (readonly RowState[])[];
  readonly inputGradient: readonly Float32Array[];
  readonly initialGradient: readonly (readonly RowState[])[];
  /** All that stands in the row's padding. */
  readonly padding: Float32Array;
}

export interface StackRunResult {
  /** [leaf][row] */
  readonly rows: readonly (readonly StackRowResult[])[];
  /** By tensor, of each leaf. */
  readonly gradients: ReadonlyMap<string, readonly Float32Array[]>;
}

export function runStack(options: StackRunOptions): StackRunResult {
  const { model, training, gradientInPadding = 0 } = options;
  const rows = options.leaves.flatMap((leaf) => leaf.rows);
  const lengths = Int32Array.from(rows, ({ inputs }) => inputs.length);
  const numSteps = options.numSteps ?? Math.max(...lengths);
  const isPadded = options.alwaysPadded === true || lengths.some((length) => length < numSteps);
  const parameters = new ParameterTensors(stackLayout(model), options.parameters);
  const gradients = new Map<string, readonly Float32Array[]>();
  const outcome: { rows?: StackRowResult[] } = {};
  const leaves = leavesOf(options);
  try {
    inTensorScope(() => {
      const run = recurrentStack({
        ...model,
        pass: {
          parameters,
          numRows: rows.length,
          leaves,
          nodes: leafNodes(leaves.length),
          training,
          progress: new Progress({}),
          onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
          onStatistics: () => undefined,
          runningStatistics: options.running ?? noStatistics,
          observer: options.observer,
        },
        inputs: joined(
          rows.map(({ inputs }) => inputs),
          numSteps,
          model.inputSize,
          0,
        ),
        initial: joinedStates(rows.map(({ initial }) => initial)),
        padding: isPadded ? new Padding(lengths, numSteps) : undefined,
        lengths: isPadded ? lengths : undefined,
      });
      const outputSize = run.outputs.shape[2];
      const ofOutputs = rows.map(({ gradient }) => gradient);
      const backward =
        training &&
        run.backward(
          joined(ofOutputs, numSteps, outputSize, gradientInPadding),
          joinedStates(rows.map(({ finalGradient }) => finalGradient)),
        );
      const outputs = split(run.outputs, lengths);
      const final = splitStates(run.final, rows.length);
      const inputGradient = backward && split(backward.inputs!, lengths);
      const initialGradient = backward && splitStates(backward.initial, rows.length);
      outcome.rows = rows.map((_, row) => ({
        outputs: outputs[row]!.own,
        final: final[row]!,
        inputGradient: inputGradient?.[row]!.own ?? [],
        initialGradient: initialGradient?.[row] ?? [],
        padding: Float32Array.from([
          ...outputs[row]!.padding,
          ...(inputGradient?.[row]!.padding ?? []),
        ]),
      }));
    });
  } finally {
    parameters.dispose();
  }
  const perLeaf = leaves.map(({ firstRow, numRows }) =>
    outcome.rows!.slice(firstRow, firstRow + numRows),
  );
  return { rows: perLeaf, gradients };
}

function noStatistics(name: string): never {
  throw new RangeError(`there are no running statistics of ${name}`);
}

function leavesOf({ leaves }: StackRunOptions): BatchLeaf[] {
  let firstRow = 0;
  return leaves.map(({ leaf, rows }) => {
    firstRow += rows.length;
    return { leaf, firstRow: firstRow - rows.length, numRows: rows.length };
  });
}

function joined(
  rows: readonly (readonly Float32Array[])[],
  numSteps: number,
  size: number,
  inPadding: number,
): Tensor3D {
  const values = new Float32Array(numSteps * rows.length * size).fill(inPadding);
  for (const [row, steps] of rows.entries()) {
    for (const [t, x] of steps.entries()) values.set(x, (t * rows.length + row) * size);
  }
  return tensor3d(values, [numSteps, rows.length, size]);
}

function split(
  sequence: Tensor3D,
  lengths: Int32Array,
): readonly { readonly own: Float32Array[]; readonly padding: number[] }[] {
  const [numSteps, numRows, size] = sequence.shape;
  const values = sequence.dataSync<"float32">();
  const steps = (row: number, from: number, to: number): Float32Array[] =>
    Array.from({ length: to - from }, (_, index) => {
      const start = ((from + index) * numRows + row) * size;
      return values.slice(start, start + size);
    });
  return Array.from(lengths, (length, row) => ({
    own: steps(row, 0, length),
    padding: steps(row, length, numSteps).flatMap((x) => [...x]),
  }));
}

function joinedStates(rows: readonly (readonly (readonly RowState[])[])[]): LayerState[][] {
  return rows[0]!.map((directions, layer) =>
    directions.map(({ h, c }, direction): LayerState => {
      const part = (of: keyof RowState): Float32Array =>
        Float32Array.from(rows.flatMap((row) => [...row[layer]![direction]![of]]));
      const hidden = tensor2d(part("h"), [rows.length, h.length]);
      if (c.length === 0) return { hidden };
      return { hidden, cell: tensor2d(part("c"), [rows.length, c.length]) };
    }),
  );
}

/** [row][layer][direction] */
function splitStates(states: readonly (readonly LayerState[])[], numRows: number): RowState[][][] {
  return Array.from({ length: numRows }, (_, row) =>
    states.map((directions) =>
      directions.map(({ hidden, cell }) => {
        const rowOf = (part: typeof hidden): Float32Array => {
          const size = part.shape[1];
          return part.dataSync<"float32">().slice(row * size, (row + 1) * size);
        };
        return { h: rowOf(hidden), c: cell === undefined ? new Float32Array(0) : rowOf(cell) };
      }),
    ),
  );
}
