// The operations that take the time, as plain C++: no Node, no TensorFlow.
//
//   const ostinato::KernelTable* table = ostinato::kernelTable(ostinato::bestInstructionSet());
//   table->matMulBias({rows, kernel, bias, product, numRows, inner, columns});
//
// All arrays are float32, row-major, owned by the caller. Letters: T time steps, B rows, H hidden size,
// N positions (T·B), I inputs, O outputs, V vocabulary, E embedding size.
//
// Bits: an element of a product adds up in ascending order of the inner index with fused multiply-add;
// other sums go over 16 virtual lanes in a fixed order; sigmoid, tanh, exp and log are our own. A result
// is the same on every processor, for any number of threads, whatever other rows are computed with it. So it
// is in bfloat16, whose order is a matrix unit's (src/bfloat16/product.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "ostinato/flat.hpp"
#include "ostinato/lstm-variant.hpp"

namespace ostinato {

enum class InstructionSet { portable, avx2, avx512, neon };

/** As in messages, such as "avx512". */
const char* nameOf(InstructionSet);

/** The fastest one that this processor has and this library was compiled with. */
InstructionSet bestInstructionSet();

/** Threads that a call of this thread is shared out to, the caller's among them; 1 at first. */
void setNumThreads(int numThreads);
int numThreads();

/** What the factors of products are rounded to; sums, and all that is no product, are float32. */
enum class Precision { float32, bfloat16 };

/** As in messages, such as "bfloat16". */
const char* nameOf(Precision);

/** Of the products in later calls of this thread; float32 at first. */
void setProductPrecision(Precision);
Precision productPrecision();

/** Whether this processor has a unit for bfloat16 products; they give the same bits without it, slower. */
bool hasMatrixUnit();
/** For tests: of all threads. */
void useMatrixUnit(bool);

/** Told the number of time steps done every so often and at the end; false ends the call at once. */
using OnTimeSteps = std::function<bool(int)>;
constexpr int kTimeStepsPerReport = 16;

/** rows [N,I] × kernel [I,O] + bias [O] (nullptr: none) → product [N,O]. */
struct MatMulBias {
  const float* rows;
  const float* kernel;
  const float* bias;
  float* product;
  int numRows, inner, columns;
  /** Whether `kernel` is [O,I] instead, to be transposed. */
  bool transposed = false;
};

/** Rows of the batch that are one leaf of the gradient tree. */
struct LeafRows {
  int firstRow, numRows;
};

/** Leaves `firstLeaf` on, a power of two of them; indices into the call's list of leaves. */
struct TreeNode {
  int firstLeaf, numLeaves;
};

/**
 * The gradients of matMulBias's kernel and bias, over time-major sequences, of each node: of a leaf the
 * sum over its positions in the order (time, row), of a node the sum of its two halves.
 */
struct LinearGradient {
  /** [T,B,I] */
  const float* rows;
  /** [T,B,J]: further inputs, whose kernel's rows follow; nullptr with J = 0. */
  const float* furtherRows;
  /** [T,B,O], with respect to the product. */
  const float* gradient;
  int numSteps, numRows, inputs, furtherInputs, outputs;
  const LeafRows* leaves;
  const TreeNode* nodes;
  int numNodes;
  /** Of each node [I+J,O]. */
  float* const* kernelGradients;
  /** Of each node [O]; nullptr: not wanted. */
  float* const* biasGradients;

  int allInputs() const { return inputs + furtherInputs; }
};

/** z = inputGates + h·Wh; i, f, o = σ(z), g = tanh(z); c' = f∘c + i∘g; h' = o∘tanh(c'). */
struct LstmForward {
  /** [T,B,4H], columns i, f, g, o. */
  const float* inputGates;
  /** [H,4H] */
  const float* recurrentKernel;
  int numSteps, numRows, hiddenSize;
  /** [T+1,B,H]; step 0 is the initial state, given by the caller. */
  float* hidden;
  float* cell;
  /** [T,B,4H], after the activations. */
  float* gates;
  /** [T,B,H]: tanh(c). */
  float* cellActivations;
};

struct LstmBackward {
  /** [T,B,H] */
  const float* hiddenGradient;
  /** [T,B,H]; nullptr: none. */
  const float* cellGradient;
  const float* gates;
  const float* cell;
  const float* cellActivations;
  /** [H,4H], or with `transposed` [4H,H]. */
  const float* recurrentKernel;
  int numSteps, numRows, hiddenSize;
  /** [T,B,4H] */
  float* gateGradients;
  /** [B,H] */
  float* initialHiddenGradient;
  float* initialCellGradient;
  bool transposed = false;
};

/** −log softmax(hidden·kernel + bias) at the targets, in nats, in blocks of rows. */
struct SoftmaxLoss {
  /** [N,H] */
  const float* hidden;
  /** [H,V] */
  const float* kernel;
  /** [V] */
  const float* bias;
  /** [N], each from 0 to V − 1, as the caller has checked. */
  const std::int32_t* targets;
  /** [N] */
  const float* weights;
  int numPositions, hiddenSize, vocabularySize;
  /** [N]: weight × loss. */
  float* losses;
};

/** The losses, and the gradients of their sum; hidden is [T,B,H], the rest of its positions alike. */
struct SoftmaxLossGradient {
  const float* hidden;
  const float* kernel;
  const float* bias;
  const std::int32_t* targets;
  const float* weights;
  int numSteps, numRows, hiddenSize, vocabularySize;
  /** From 0 to below 1. */
  float labelSmoothing;
  const LeafRows* leaves;
  const TreeNode* nodes;
  int numNodes;
  float* losses;
  /** [N,H]; positions of no node are not written. */
  float* hiddenGradient;
  /** Of each node [H,V]. */
  float* const* kernelGradients;
  /** Of each node [V]. */
  float* const* biasGradients;
};

/**
 * r, z = σ(inputGates + h·U); h' = (1−z)∘n + z∘h, with `keep` mixed once more: k∘h + (1−k)∘h'.
 * `resetAfter`: n = tanh(x_n + r∘(h·U_n + candidateBias)); else n = tanh(x_n + (r∘h)·U_n).
 */
struct GruForward {
  /** [T,B,3H], columns r, z, n. */
  const float* inputGates;
  /** [H,3H] */
  const float* recurrentKernel;
  /** [H]; nullptr: none, as always without `resetAfter`. */
  const float* candidateBias;
  /** [T,B,H]; nullptr: none. */
  const float* keep;
  bool resetAfter;
  int numSteps, numRows, hiddenSize;
  /** [T+1,B,H]; step 0 is the initial state, given by the caller. */
  float* hidden;
  /** [T,B,3H], after the activations. */
  float* gates;
  /** [T,B,H]: h·U_n + candidateBias with `resetAfter`, else r∘h. */
  float* candidates;
};

struct GruBackward {
  /** [T,B,H] */
  const float* hiddenGradient;
  const float* gates;
  const float* candidates;
  const float* hidden;
  /** [H,3H], or with `transposed` [3H,H]. */
  const float* recurrentKernel;
  /** As the forward pass was given it. */
  const float* keep;
  bool resetAfter;
  int numSteps, numRows, hiddenSize;
  /** [T,B,3H], with respect to `inputGates`. */
  float* gateGradients;
  /** [T,B,3H], with respect to the recurrent products; without `resetAfter` not written: they are equal. */
  float* recurrentGradients;
  /** [B,H] */
  float* initialHiddenGradient;
  bool transposed = false;
};

enum class RnnActivation { tanh, relu };

/** a = act(inputGates + h·U); h' = a, or with `keep` k∘h + (1−k)∘a. */
struct RnnForward {
  /** [T,B,H] */
  const float* inputGates;
  /** [H,H] */
  const float* recurrentKernel;
  /** [T,B,H]; nullptr: none. */
  const float* keep;
  RnnActivation activation;
  int numSteps, numRows, hiddenSize;
  /** [T+1,B,H]; step 0 is the initial state, given by the caller. */
  float* hidden;
  /** [T,B,H]: a; nullptr: not wanted, since without `keep` it is hidden from step 1 on. */
  float* activations;
};

/** relu'(0) is 0. */
struct RnnBackward {
  /** [T,B,H] */
  const float* hiddenGradient;
  const float* activations;
  /** [H,H], with `transposed` the transpose of the forward pass's. */
  const float* recurrentKernel;
  /** As the forward pass was given it. */
  const float* keep;
  RnnActivation activation;
  int numSteps, numRows, hiddenSize;
  /** [T,B,H] */
  float* gateGradients;
  /** [B,H] */
  float* initialHiddenGradient;
  bool transposed = false;
};

/** Of each row: (row − mean) / √(variance + epsilon), then ·gain + bias (nullptr: none). */
struct LayerNorm {
  /** [N,C] */
  const float* rows;
  /** [C] */
  const float* gain;
  const float* bias;
  int numRows, numColumns;
  float epsilon;
  /** [N,C] */
  float* outputs;
  float* normalized;
  /** [N] */
  float* inverseDeviations;
};

struct LayerNormGradient {
  /** [N,C], with respect to the outputs. */
  const float* gradient;
  const float* normalized;
  const float* inverseDeviations;
  const float* gain;
  int numRows, numColumns;
  /** [N,C], with respect to the rows. */
  float* rowGradient;
};

struct EmbeddingGather {
  /** [V,E] */
  const float* table;
  /** [N], each from 0 to V − 1: the caller has checked. */
  const std::int32_t* ids;
  int numPositions, embeddingSize;
  /** [N,E] */
  float* rows;
};

/**
 * Of each node: row v is the sum of the gradient rows whose id is v, of a leaf in the order (time, row), of
 * a node the sum of its two halves.
 */
struct EmbeddingGradient {
  /** [T·B], each from 0 to V − 1: the caller has checked. */
  const std::int32_t* ids;
  /** [T,B,E] */
  const float* gradient;
  int numSteps, numRows, embeddingSize, vocabularySize;
  const LeafRows* leaves;
  const TreeNode* nodes;
  int numNodes;
  /** Of each node [V,E]. */
  float* const* tableGradients;
};

/** A block of consecutive steps and rows of [T,B,C] → [numSteps·numRows,C], in the order (time, row). */
struct SequenceRows {
  const float* sequence;
  /** B and C of the whole sequence. */
  int batchRows, numColumns;
  int firstStep, numSteps, firstRow, numRows;
  float* rows;
};

/** [R,C] → [C,R] */
struct Transpose {
  const float* matrix;
  int numRows, numColumns;
  float* transposed;
};

/** The functions of one instruction set. */
struct KernelTable {
  InstructionSet instructionSet;
  void (*matMulBias)(const MatMulBias&);
  void (*linearGradient)(const LinearGradient&);
  /** @returns false if `onTimeSteps` ended it. */
  bool (*lstmForward)(const LstmForward&, const OnTimeSteps&);
  bool (*lstmBackward)(const LstmBackward&, const OnTimeSteps&);
  void (*softmaxLoss)(const SoftmaxLoss&);
  void (*softmaxLossGradient)(const SoftmaxLossGradient&);
  bool (*gruForward)(const GruForward&, const OnTimeSteps&);
  bool (*gruBackward)(const GruBackward&, const OnTimeSteps&);
  bool (*rnnForward)(const RnnForward&, const OnTimeSteps&);
  bool (*rnnBackward)(const RnnBackward&, const OnTimeSteps&);
  void (*layerNorm)(const LayerNorm&);
  void (*layerNormGradient)(const LayerNormGradient&);
  void (*embeddingGather)(const EmbeddingGather&);
  void (*embeddingGradient)(const EmbeddingGradient&);
  void (*sequenceRows)(const SequenceRows&);
  FlatTable flat;
  bool (*lstmVariantForward)(const LstmVariantForward&, const OnTimeSteps&);
  bool (*lstmVariantBackward)(const LstmVariantBackward&, const OnTimeSteps&);
  void (*transpose)(const Transpose&);
};

/** nullptr where the processor or the library lacks it. */
const KernelTable* kernelTable(InstructionSet);

}  // namespace ostinato
