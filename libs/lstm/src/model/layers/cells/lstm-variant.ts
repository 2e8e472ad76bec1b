import { mul, slice, stack, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  linearGradient,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
} from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../../batch-leaves.js";
import { beforeLast, columnSums, positionsOf } from "../../pass/index.js";
import { LAYER_NORM_EPSILON } from "../normalization/index.js";
import { zoneoutMask } from "../regularization/index.js";
import type { CellCall, CellGradients, CellRun } from "./cell.js";
import { throughProducts } from "./hidden-paths.js";
import { biasGradients, kernelGradients } from "./recurrent-gradients.js";

type Options = Parameters<typeof lstmVariantSequenceForward>[0];
type Further = CellGradients["further"];

/** LSTM with peepholes, coupled gates, projection, layer normalization and zoneout, in any combination. */
export function lstmVariant(call: CellCall): CellRun {
  const { pass, spec, prefix, gates, recurrentKernel, recurrentKernelTransposed, initial } = call;
  const { coupledGates } = spec;
  const projectionName = `${prefix}.projection`;
  const projection =
    spec.projectionSize === null ? undefined : pass.parameters.matrix(projectionName);
  const options = {
    peephole: spec.peephole ? pass.parameters.matrix(`${prefix}.peephole`) : undefined,
    coupledGates,
    layerNorm: layerNormOf(call),
    keep: zoneoutOf(call),
    onTimeSteps: pass.progress.report,
  };
  const sequence = lstmVariantSequenceForward({
    ...options,
    inputGates: gates,
    recurrentKernel,
    projection,
    initialHidden: initial.hidden,
    initialCell: initial.cell!,
  });
  const names = coupledGates
    ? (["input", "cell", "output"] as const)
    : (["input", "forget", "cell", "output"] as const);
  return {
    activations: { names, values: sequence.gates },
    hidden: sequence.hidden,
    cell: sequence.cell,
    backward(hiddenGradient, cellGradient) {
      const gradients = lstmVariantSequenceBackward({
        ...options,
        ...sequence,
        hiddenGradient,
        cellGradient,
        recurrentKernelTransposed,
        projectionTransposed:
          projection &&
          pass.parameters.derived(`transpose of ${projectionName}`, (): Tensor2D =>
            transpose(projection),
          ),
      });
      const { gateGradients, recurrentGradients } = gradients;
      return {
        gates: gateGradients,
        addsToGates: false,
        initial: { hidden: gradients.initialHiddenGradient, cell: gradients.initialCellGradient },
        hiddenPaths: () => ({
          products: throughProducts(recurrentGradients, recurrentKernelTransposed),
          direct: options.keep?.hidden,
        }),
        recurrent: (of, hidden) => ({
          kernels: kernelGradients(of, hidden, recurrentGradients),
          biases: biasGradients(of, `${prefix}.bias`, gateGradients),
        }),
        further: [
          ...peepholeGradient(call, sequence.cell, sequence.cellCandidates, gateGradients),
          ...projectionGradient(
            projectionName,
            sequence.projectionInputs,
            gradients.projectionGradients,
          ),
          ...layerNormGradients(call, gateGradients, gradients.cellNormGradients, sequence),
        ],
      };
    },
  };
}

function layerNormOf({ pass, spec, prefix }: CellCall): Options["layerNorm"] {
  if (!spec.layerNorm) return undefined;
  return {
    recurrentGain: pass.parameters.vector(`${prefix}.recurrentGain`),
    cellGain: pass.parameters.vector(`${prefix}.cellGain`),
    cellBias: pass.parameters.vector(`${prefix}.cellBias`),
    epsilon: LAYER_NORM_EPSILON,
  };
}

function zoneoutOf({ pass, spec, maskLayer, gates, initial }: CellCall): Options["keep"] {
  const { zoneoutHidden, zoneoutCell, hiddenSize } = spec;
  if (zoneoutHidden === 0 && zoneoutCell === 0) return undefined;
  const [numSteps, numRows] = gates.shape;
  const mask = (layer: number, size: number, rate: number): Tensor3D =>
    zoneoutMask(pass, { purpose: "zoneout", layer }, [numSteps, numRows, size], rate);
  return {
    hidden: mask(2 * maskLayer, initial.hidden.shape[1], zoneoutHidden),
    cell: mask(2 * maskLayer + 1, hiddenSize, zoneoutCell),
  };
}

/** Rows i, f, o: what each gate's sum passes back, times the cell state that the gate saw. */
function peepholeGradient(
  { spec, prefix }: CellCall,
  cell: Tensor3D,
  cellCandidates: Tensor3D,
  gateGradients: Tensor3D,
): Further {
  if (!spec.peephole) return [];
  const { hiddenSize, coupledGates } = spec;
  const gradientOf = (leaf: BatchLeaf): Tensor2D => {
    const ofGates = positionsOf(gateGradients, leaf);
    const columns = (gate: number): Tensor2D =>
      slice(ofGates, [0, gate * hiddenSize], [ofGates.shape[0], hiddenSize]);
    const before = beforeLast(cell, leaf);
    const after = positionsOf(cellCandidates, leaf);
    const readers: readonly (readonly [gate: number, seen: Tensor2D])[] = coupledGates
      ? [
          [0, before],
          [2, after],
        ]
      : [
          [0, before],
          [1, before],
          [3, after],
        ];
    return stack(readers.map(([gate, seen]) => columnSums(mul(columns(gate), seen)))) as Tensor2D;
  };
  return [{ name: `${prefix}.peephole`, gradientOf }];
}

function projectionGradient(
  name: string,
  inputs: Tensor3D | undefined,
  gradients: Tensor3D | undefined,
): Further {
  if (inputs === undefined || gradients === undefined) return [];
  const gradientOf = (leaf: BatchLeaf): Tensor2D =>
    linearGradient(positionsOf(inputs, leaf), positionsOf(gradients, leaf)).kernelGradient;
  return [{ name, gradientOf }];
}

function layerNormGradients(
  { prefix }: CellCall,
  gateGradients: Tensor3D,
  ofCell: Tensor3D | undefined,
  {
    recurrentNormalized,
    cellNormalized,
  }: {
    readonly recurrentNormalized: Tensor3D | undefined;
    readonly cellNormalized: Tensor3D | undefined;
  },
): Further {
  if (recurrentNormalized === undefined || cellNormalized === undefined || ofCell === undefined) {
    return [];
  }
  const sumOfProducts =
    (a: Tensor3D, b: Tensor3D) =>
    (leaf: BatchLeaf): Tensor1D =>
      columnSums(mul(positionsOf(a, leaf), positionsOf(b, leaf)));
  return [
    {
      name: `${prefix}.recurrentGain`,
      gradientOf: sumOfProducts(gateGradients, recurrentNormalized),
    },
    { name: `${prefix}.cellGain`, gradientOf: sumOfProducts(ofCell, cellNormalized) },
    { name: `${prefix}.cellBias`, gradientOf: (leaf) => columnSums(positionsOf(ofCell, leaf)) },
  ];
}
