// The LSTM with options: peepholes, coupled gates, projection, layer normalization, zoneout. nullptr leaves an
// option out. G is 4, or 3 with coupled gates; R is the size of the hidden state, H without a projection.
#pragma once

namespace ostinato {

/** What forward and backward are both told. */
struct LstmVariantOptions {
  int numSteps, numRows, hiddenSize, stateSize;
  /** f = 1 − i: the gates' columns are i, g, o instead of i, f, g, o. */
  bool coupledGates;
  /** [3,H]: rows i and f multiply c, row o the new c̃; [2,H], rows i and o, with coupled gates. */
  const float* peephole;
  /** Layer normalization: [G·H], [H], [H]; all or none. */
  const float* recurrentGain;
  const float* cellGain;
  const float* cellBias;
  float epsilon;
  /** Zoneout: [T,B,R], [T,B,H]; both or none. */
  const float* keepHidden;
  const float* keepCell;
};

/**
 * a = inputGates + recurrentGain∘normalized(h·Wh); i = σ(a_i + p_i∘c); f = σ(a_f + p_f∘c), or 1 − i;
 * g = tanh(a_g); c̃ = f∘c + i∘g; c' = k_c∘c + (1 − k_c)∘c̃; o = σ(a_o + p_o∘c̃);
 * h̃ = (o∘tanh(cellGain∘normalized(c̃) + cellBias))·projection; h' = k_h∘h + (1 − k_h)∘h̃.
 */
struct LstmVariantForward {
  LstmVariantOptions options;
  /** [T,B,G·H] */
  const float* inputGates;
  /** [R,G·H] */
  const float* recurrentKernel;
  /** [H,R] */
  const float* projection;
  /** [T+1,B,R] and [T+1,B,H]; step 0 is the initial state, given by the caller. */
  float* hidden;
  float* cell;
  /** [T,B,H]: c̃. */
  float* cellCandidates;
  /** [T,B,G·H], after the activations. */
  float* gates;
  /** [T,B,H]: what tanh gives. */
  float* cellActivations;
  /** [T,B,H]: o∘cellActivations; with a projection alone. */
  float* projectionInputs;
  /** [T,B,G·H], [T,B], [T,B,H], [T,B]; with layer normalization alone. */
  float* recurrentNormalized;
  float* recurrentInverseDeviations;
  float* cellNormalized;
  float* cellInverseDeviations;
};

struct LstmVariantBackward {
  LstmVariantOptions options;
  /** [T,B,R] */
  const float* hiddenGradient;
  /** [T,B,H]; nullptr: none. */
  const float* cellGradient;
  /** [R,G·H], or with `transposed` [G·H,R]. */
  const float* recurrentKernel;
  /** [H,R], or with `transposed` [R,H]. */
  const float* projection;
  /** Of the forward pass. */
  const float* cell;
  const float* gates;
  const float* cellActivations;
  const float* recurrentNormalized;
  const float* recurrentInverseDeviations;
  const float* cellNormalized;
  const float* cellInverseDeviations;
  /** [T,B,G·H], with respect to `inputGates`. */
  float* gateGradients;
  /** [T,B,G·H], with respect to h·Wh; not written without layer normalization: they are equal. */
  float* recurrentGradients;
  /** [B,R], [B,H] */
  float* initialHiddenGradient;
  float* initialCellGradient;
  /** [T,B,R], with respect to the projection's outputs; with a projection alone. */
  float* projectionGradients;
  /** [T,B,H], with respect to the normalized cell after gain and bias; with layer normalization alone. */
  float* cellNormGradients;
  /** Of both kernels. */
  bool transposed = false;
};

}  // namespace ostinato
