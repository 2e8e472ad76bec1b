/** The keys of a recurrent stack and of its regularization, which every model has. */
import { z } from "zod";

import { initializationSchema } from "../initialization/index.js";
import {
  finite,
  FINITE,
  FLAG,
  fraction,
  FRACTION,
  key,
  names,
  NOT_NEGATIVE,
  notNegative,
  wholeNumber,
  wholeNumbers,
} from "../keys/index.js";

export const MAX_SIZE = 65_536;
const MAX_LAYERS = 64;

/** Sizes of layers. */
export const size = (): z.ZodInt => wholeNumber(1, MAX_SIZE);
export const SIZE = wholeNumbers(1, MAX_SIZE);

const CELLS = ["lstm", "gru", "rnn"] as const;
const ACTIVATIONS = ["tanh", "relu"] as const;
const NORMALIZATIONS = ["none", "batch", "layer"] as const;

/** What the layers are. Letters as in the layout: I inputs, H hidden size. */
export const RECURRENT_KEYS = {
  cell: key(names(CELLS), z.enum(CELLS).default("lstm")),
  /** H, of every layer. */
  hiddenSize: key(SIZE, size().default(128)),
  numLayers: key(wholeNumbers(1, MAX_LAYERS), wholeNumber(1, MAX_LAYERS).default(1)),
  /** From the second layer on, what a layer reads is added to what it puts out (He et al., 2016). */
  residual: key(FLAG, z.boolean().default(false)),
  /**
   * Of what each layer puts out: `batch` over rows and time of a micro-shard (Ioffe and Szegedy, 2015;
   * sequence-wise as in Laurent et al., 2016), `layer` over the units (Ba et al., 2016).
   */
  normalization: key(names(NORMALIZATIONS), z.enum(NORMALIZATIONS).default("none")),
  /** LSTM: what the forget gate's bias starts from (Gers et al., 2000). */
  forgetBias: key(FINITE, finite().default(1)),
  /** LSTM: the gates read the cell state too (Gers et al., 2002). */
  peephole: key(FLAG, z.boolean().default(false)),
  /** LSTM: the forget gate is one minus the input gate (Greff et al., 2017). */
  coupledGates: key(FLAG, z.boolean().default(false)),
  /** LSTM: both products and the cell state are normalized over the units (Ba et al., 2016). */
  layerNorm: key(FLAG, z.boolean().default(false)),
  /** LSTM: size that a linear map brings the hidden state to (Sak et al., 2014); null for none. */
  projectionSize: key(`${SIZE}, or null`, size().nullable().default(null)),
  /** GRU: the reset gate acts after the recurrent product (cuDNN's and PyTorch's form), else before (Cho et al., 2014). */
  resetAfter: key(FLAG, z.boolean().default(true)),
  /** What the parameters start from, by patterns of their tensors' names; the rest has defaults. */
  initialization: initializationSchema,
  /** RNN: what the sum goes through (Elman, 1990; relu: Le et al., 2015). */
  activation: key(names(ACTIVATIONS), z.enum(ACTIVATIONS).default("tanh")),
} as const;

/** How training is kept from learning by heart; evaluation is without all of it. */
export const REGULARIZATION_KEYS = {
  /** Share of a vocabulary whose embedding is dropped, one mask a step (Gal and Ghahramani, 2016). */
  embeddingDropout: key(FRACTION, fraction().default(0)),
  /** Share of the values dropped between layers (Zaremba et al., 2014). */
  dropout: key(FRACTION, fraction().default(0)),
  /** Share of the first layer's inputs dropped. */
  inputDropout: key(FRACTION, fraction().default(0)),
  /** Share of the last layer's outputs dropped. */
  outputDropout: key(FRACTION, fraction().default(0)),
  /** The three above keep one mask over all time steps of a sequence (Gal and Ghahramani, 2016). */
  variationalDropout: key(FLAG, z.boolean().default(false)),
  /** Share of the recurrent weights dropped, one mask a step (Merity et al., 2018; Wan et al., 2013). */
  weightDropout: key(FRACTION, fraction().default(0)),
  /** Chance of a hidden value to stay as it was (Krueger et al., 2017). */
  zoneoutHidden: key(FRACTION, fraction().default(0)),
  /** LSTM: chance of a cell value to stay as it was. */
  zoneoutCell: key(FRACTION, fraction().default(0)),
  /** Weight of the mean square of the last layer's outputs, as they are after dropout (Merity et al., 2018). */
  activationPenalty: key(NOT_NEGATIVE, notNegative().default(0)),
  /** Weight of the mean square of what the last layer's outputs change from step to step. */
  temporalActivationPenalty: key(NOT_NEGATIVE, notNegative().default(0)),
} as const;

type Keys = typeof RECURRENT_KEYS & typeof REGULARIZATION_KEYS;
export type RecurrentStackSpec = { readonly [K in keyof Keys]: z.output<Keys[K]> };

interface CellOption {
  readonly key: keyof RecurrentStackSpec;
  readonly cell: (typeof CELLS)[number];
  /** What says nothing about the cell: the key's default. */
  readonly neutral: unknown;
}

const CELL_OPTIONS: readonly CellOption[] = [
  { key: "forgetBias", cell: "lstm", neutral: 1 },
  { key: "peephole", cell: "lstm", neutral: false },
  { key: "coupledGates", cell: "lstm", neutral: false },
  { key: "layerNorm", cell: "lstm", neutral: false },
  { key: "projectionSize", cell: "lstm", neutral: null },
  { key: "zoneoutCell", cell: "lstm", neutral: 0 },
  { key: "resetAfter", cell: "gru", neutral: true },
  { key: "activation", cell: "rnn", neutral: "tanh" },
];

/** A rule between keys that a spec breaks. */
export interface BrokenRule {
  readonly path: readonly string[];
  /** What follows the key and its value in a message. */
  readonly message: string;
}

/** An option of another cell would be ignored: refused instead. */
export function* brokenRecurrentRules(spec: RecurrentStackSpec): Generator<BrokenRule> {
  for (const { key: name, cell, neutral } of CELL_OPTIONS) {
    if (spec.cell === cell || spec[name] === neutral) continue;
    yield { path: [name], message: `it fits cell '${cell}' only, not '${spec.cell}'` };
  }
  if (spec.projectionSize !== null && spec.projectionSize >= spec.hiddenSize) {
    yield {
      path: ["projectionSize"],
      message: `it must be below hiddenSize (${spec.hiddenSize})`,
    };
  }
}
