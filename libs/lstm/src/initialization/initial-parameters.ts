import {
  cellSizes,
  encoderStack,
  parameterLayout,
  requireMatchingTensors,
} from "../layout/index.js";
import type { ParameterLayout, TensorLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import type { RandomKey } from "../random/index.js";
import type { ModelSpec } from "../spec/index.js";
import { chosenValues, misfit } from "./chosen-values.js";
import { defaultValues } from "./default-values.js";
import type { InitializerSpec } from "./initialization-spec.js";
import { blocksOf, writeBlock } from "./tensor-blocks.js";
import type { Block, Part } from "./tensor-blocks.js";
import { tensorKey } from "./tensor-key.js";
import { tensorRole } from "./tensor-role.js";
import type { CellSizes, TensorRole } from "./tensor-role.js";

/** Numbers of the parts in random keys, for ever. */
const PART_NUMBERS: Readonly<Record<Part, number>> = { whole: 0, input: 1, recurrent: 2 };

/**
 * The initial parameters of a model: a pure function of the spec and the seed. Of the entries of its
 * `initialization` that match a tensor or a part of it, the first one counts. Without one:
 *
 * - Kernels of the layers: uniform within ±1/√H, as PyTorch's LSTM; those of linear maps within
 *   ±1/√inputs, as PyTorch's Linear. The outputs of the gates then start in the range where sigmoid
 *   and tanh are steep, for any H.
 * - Embedding: uniform within ±√3, hence of variance 1 like the N(0, 1) of PyTorch's Embedding.
 * - Biases and peepholes: 0, but the forget gates' start from the spec's `forgetBias`. A bias of 1 keeps
 *   them open at first, so that gradients reach back (Gers et al., 2000; Jozefowicz et al., 2015). Gains: 1.
 *
 * @param seed a whole number from 0 to 2³² − 1
 * @returns [parameterLayout(spec).size]
 * @throws {LstmError} `invalidRandomKey` for another seed; `invalidSpec` for an entry that reaches
 *   nothing or does not fit what it reaches
 */
export function initialParameters(spec: ModelSpec, seed: number): Float32Array {
  const { initialization: entries } = spec;
  const layout = parameterLayout(spec);
  const parameters = new Float32Array(layout.size);
  const roleOf = rolesIn(spec);
  const found = entries.map((entry, i) => tensorsOf(entry, i, layout, roleOf));
  for (const tensor of layout.tensors) {
    const { name, shape, offset, size } = tensor;
    const role = roleOf(tensor);
    const blocks = blocksOf(shape, role).map((block) => ({
      block,
      entry: entries.find((entry, i) => reaches(entry, block) && found[i]?.includes(tensor)),
    }));
    const values = parameters.subarray(offset, offset + size);
    if (blocks.some(({ entry }) => entry === undefined)) {
      values.set(
        defaultValues(tensor, role, { ...sizesOf(spec, name), forgetBias: spec.forgetBias, seed }),
      );
    }
    for (const { block, entry } of blocks) {
      if (entry === undefined) continue;
      const key = blockKey(name, seed, block);
      writeBlock(values, block, chosenValues(entry, block.shape, key, role));
    }
  }
  return parameters;
}

/**
 * Whether each entry of a model's `initialization` fits the model, without the work of making values.
 *
 * @throws {LstmError} `invalidSpec` for an entry that reaches nothing or does not fit what it reaches
 */
export function checkInitialization(spec: ModelSpec): void {
  const layout = parameterLayout(spec);
  for (const [i, entry] of spec.initialization.entries()) {
    tensorsOf(entry, i, layout, rolesIn(spec));
  }
}

function rolesIn(spec: ModelSpec): (tensor: TensorLayout) => TensorRole {
  return ({ name, shape }) => tensorRole(name, shape, sizesOf(spec, name));
}

/** What a tensor's role depends on: of the stack that it belongs to. */
function sizesOf(spec: ModelSpec, name: string): CellSizes {
  const isEncoder = spec.kind === "encoderDecoder" && name.startsWith("encoder.");
  const ofStack = isEncoder ? encoderStack(spec).spec : spec;
  const { cell, hiddenSize } = ofStack;
  return { cell, hiddenSize, stateSize: cellSizes(ofStack).outputSize };
}

function reaches({ part }: InitializerSpec, block: Block): boolean {
  return part === "all" || part === block.part;
}

function blockKey(name: string, seed: number, { part, gate }: Block): RandomKey {
  return { ...tensorKey(name, seed), leaf: PART_NUMBERS[part], row: gate };
}

/** The tensors that an entry reaches. Refuses one that can't do what somebody wrote it for. */
function tensorsOf(
  entry: InitializerSpec,
  index: number,
  layout: ParameterLayout,
  roleOf: (tensor: TensorLayout) => TensorRole,
): readonly TensorLayout[] {
  const { match, part, kind } = entry;
  const [code, name] = ["invalidSpec", `model.initialization[${index}]`] as const;
  const matching = requireMatchingTensors(layout, match, { key: `${name}.match`, code });
  const reached = matching.filter((tensor) =>
    blocksOf(tensor.shape, roleOf(tensor)).some((block) => reaches(entry, block)),
  );
  if (reached.length === 0) {
    const names = matching.map((tensor) => tensor.name).join(", ");
    throw new LstmError(
      code,
      `${name}.part is "${part}"; only kernels of recurrent layers have parts, and match finds ${names}`,
    );
  }
  for (const tensor of reached) {
    const reason = misfit(entry, roleOf(tensor));
    if (reason === undefined) continue;
    const shape = tensor.shape.join(", ");
    throw new LstmError(
      code,
      `${name}.kind is "${kind}"; ${reason}, which ${tensor.name} [${shape}] is not`,
    );
  }
  return reached;
}
