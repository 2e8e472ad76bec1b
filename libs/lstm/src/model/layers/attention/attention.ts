import { add, concat, mul, softmax, sub, sum, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { linearGradient, matMulBias, sequenceRows } from "@ostinato/kernels/tensor";

import { asOneStep, emitLeafGradients, positionsOf } from "../../pass/index.js";
import type { PackedRow, Pass } from "../../pass/index.js";
import type { AttentionMemory } from "./memory.js";
import { additiveScores, multiplicativeScores } from "./scores.js";
import type { Scores } from "./scores.js";

/** What looks at a memory. */
export interface Queries {
  /** [N,R] */
  readonly values: Tensor2D;
  /** One for each row of the memory; of those without a query the memory is not read. */
  readonly rows: readonly PackedRow[];
}

export interface AttentionRun {
  /** [N,C]: the memory's values, weighted. */
  readonly contexts: Tensor2D;
  /**
   * Hands the gradients of the attention's own parameters to the pass.
   *
   * @param gradient [N,C], with respect to the contexts.
   */
  readonly backward: (gradient: Tensor2D) => AttentionGradients;
}

export interface AttentionGradients {
  /** [N,R] */
  readonly queries: Tensor2D;
  /** [M,C], with respect to the memory's values. */
  readonly memory: Tensor2D;
}

/**
 * Contexts c = Σ softmax(score)·value, over the positions of the query's row. Each row is computed by
 * itself, from its own positions alone: there is no padding that a mask would have to keep out.
 *
 * @param pass over the N positions of the queries.
 */
export function attention(pass: Pass, memory: AttentionMemory, queries: Queries): AttentionRun {
  const { parameters } = pass;
  const name = memory.kind === "additive" ? "attention.query" : "attention.kernel";
  const kernel = parameters.matrix(name);
  const scores = scoresOf(pass, memory);
  const products = matMulBias(queries.values, kernel);
  const blocks = queries.rows.flatMap((ofQueries, row): Block[] =>
    ofQueries.count === 0 ? [] : [{ queries: ofQueries, memory: memory.rows[row]! }],
  );
  const weights = blocks.map((block) => {
    pass.progress.alive();
    return tidy(() =>
      softmax(scores.forward(rowsOf(products, block.queries), rowsOf(memory.keys, block.memory))),
    );
  });
  const contexts = blocks.map((block, index) =>
    tidy(() => matMulBias(weights[index]!, rowsOf(memory.values, block.memory))),
  );
  return {
    contexts: concat(contexts, 0),
    backward(gradient) {
      const perBlock = blocks.map((block, index) => {
        pass.progress.alive();
        return blockGradients({
          scores,
          weights: weights[index]!,
          queries: () => rowsOf(products, block.queries),
          keys: () => rowsOf(memory.keys, block.memory),
          values: () => rowsOf(memory.values, block.memory),
          gradient: () => rowsOf(gradient, block.queries),
        });
      });
      const joined = (part: "queries" | "keys" | "values"): Tensor2D =>
        concat(
          perBlock.map((gradients) => gradients[part]),
          0,
        );
      const ofProducts = joined("queries");
      emitLeafGradients(pass, [name], (leaf) => {
        const read = positionsOf(asOneStep(queries.values), leaf);
        return [linearGradient(read, positionsOf(asOneStep(ofProducts), leaf)).kernelGradient];
      });
      const transposed = parameters.derived(`transpose of ${name}`, (): Tensor2D =>
        transpose(kernel),
      );
      const ofMemory = memory.backward(joined("values"), joined("keys"));
      // In the layout's order.
      if (memory.kind === "additive") emitVector(pass, blocks, perBlock);
      return {
        memory: ofMemory,
        queries: matMulBias(ofProducts, transposed),
      };
    },
  };
}

const VECTOR_NAME = "attention.score";

function scoresOf({ parameters }: Pass, { kind }: AttentionMemory): Scores {
  return kind === "additive"
    ? additiveScores(parameters.vector(VECTOR_NAME))
    : multiplicativeScores;
}

/** One row's positions on both sides. */
interface Block {
  readonly queries: PackedRow;
  readonly memory: PackedRow;
}

/** By the kernel: tf.slice takes about ten times as long on wasm. */
function rowsOf(values: Tensor2D, { first, count }: PackedRow): Tensor2D {
  const block = { firstStep: 0, numSteps: 1, firstRow: first, numRows: count };
  return sequenceRows(asOneStep(values), block);
}

interface BlockCall {
  readonly scores: Scores;
  /** [T,S] */
  readonly weights: Tensor2D;
  /** [T,K] */
  readonly queries: () => Tensor2D;
  /** [S,K] */
  readonly keys: () => Tensor2D;
  /** [S,C] */
  readonly values: () => Tensor2D;
  /** [T,C], with respect to the contexts. */
  readonly gradient: () => Tensor2D;
}

interface BlockGradients {
  readonly queries: Tensor2D;
  readonly keys: Tensor2D;
  readonly values: Tensor2D;
  readonly vector: Tensor1D | undefined;
}

function blockGradients(call: BlockCall): BlockGradients {
  const [values, queries, keys, vector] = tidy(() => {
    const { scores, weights } = call;
    const gradient = call.gradient();
    const ofWeights = matMulBias(gradient, transpose(call.values()));
    const weighted: Tensor2D = mul(weights, ofWeights);
    const ofScores: Tensor2D = sub(weighted, mul(weights, sum(weighted, 1, true)));
    const ofValues = matMulBias(transpose(weights), gradient);
    return [ofValues, ...scores.backward(call.queries(), call.keys(), ofScores)] as const;
  });
  return { values, queries, keys, vector };
}

/** The gradient of the vector of additive scores: the rows' one after the other. */
function emitVector(
  pass: Pass,
  blocks: readonly Block[],
  perBlock: readonly BlockGradients[],
): void {
  emitLeafGradients(pass, [VECTOR_NAME], ({ firstRow, numRows }) => {
    const ofLeaf = perBlock.filter((_, index) => {
      const { first } = blocks[index]!.queries;
      return first >= firstRow && first < firstRow + numRows;
    });
    return [ofLeaf.map(({ vector }) => vector!).reduce((total, vector) => add(total, vector))];
  });
}
