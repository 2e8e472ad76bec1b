// The coordinator's operations on flat float32 arrays: to the bit what libs/kernels/src/flat computes in
// JavaScript. Every operation rounds to float32 once, none is fused; the scalars were rounded there.
// `out` may be one of the arrays that are read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ostinato {

/** What every update has. */
struct ParameterUpdate {
  const float* parameters;
  const float* gradient;
  /** The new parameters. */
  float* out;
  std::size_t length;
  /** What the gradient is multiplied with before anything else. */
  float gradientScale;
};

/** out = gradient · gradientScale + λ · parameters. */
struct DecayGradient : ParameterUpdate {
  float weightDecay;
};

/** p ← p − η·g */
struct SgdUpdate : ParameterUpdate {
  float learningRate;
};

/** b ← μ·b + (1 − τ)·g;  p ← p − η·b, or p − η·(g + μ·b) with `nesterov` */
struct MomentumUpdate : ParameterUpdate {
  float* momentumBuffer;
  float learningRate, momentum;
  /** 1 − τ */
  float taken;
  bool nesterov;
};

/** p ← s·p − η·g;  a ← a + μ·(p − a) */
struct AveragedSgdUpdate : ParameterUpdate {
  float* average;
  float learningRate, shrinkage, averagingRate;
};

/** s ← s + g²;  p ← p − η·g / (√s + ε) */
struct AdagradUpdate : ParameterUpdate {
  float* squareSum;
  float learningRate, epsilon;
};

/**
 * v ← α·v + (1 − α)·g²;  p ← p − η·g / (√v + ε), or with `momentumBuffer` b ← μ·b + g / (√v + ε);
 * p ← p − η·b. With `gradientAverage`: m ← m + (1 − α)·(g − m), and max(0, v − m²) under the root.
 */
struct RmspropUpdate : ParameterUpdate {
  float* squareAverage;
  /** nullptr: not centered. */
  float* gradientAverage;
  /** nullptr: no momentum. */
  float* momentumBuffer;
  float learningRate, decay;
  /** 1 − α */
  float rest;
  float epsilon, momentum;
};

/** m ← m + rest1·(g − m);  v ← β₂·v + rest2·g²;  p ← p − stepSize·m / (√v + ε) */
struct AdamUpdate : ParameterUpdate {
  float* firstMoment;
  float* secondMoment;
  /** The largest v so far, in the place of v under the root; nullptr: v itself. */
  float* maxSecondMoment;
  float rest1, beta2, rest2;
  /** η / (1 − β₁ᵗ) · c with c = √(1 − β₂ᵗ). */
  float stepSize;
  /** ε · c */
  float epsilon;
};

/** m and v as Adam's;  u = m·correction1 / (√v·correction2 + ε) + λ·p;  p ← p − η·(φ(‖p‖) / ‖u‖)·u */
struct LambUpdate : ParameterUpdate {
  float* firstMoment;
  float* secondMoment;
  float rest1, beta2, rest2, correction1, correction2, epsilon, weightDecay;
  double learningRate, maxWeightNorm;
};

/** The functions of one instruction set. */
struct FlatTable {
  /** out = left + right */
  void (*treeAdd)(const float* left, const float* right, float* out, std::size_t length);
  void (*scaleValues)(const float* values, float scale, float* out, std::size_t length);
  /** values += scale · other */
  void (*addScaled)(float* values, float scale, const float* other, std::size_t length);
  /** out[r, c] = values[r, c] · scales[c] */
  void (*scaleColumns)(const float* values, const float* scales, float* out, std::size_t length,
                       std::size_t numColumns);
  /** out = min(max(values, −limit), limit). @returns whether a value was beyond it */
  bool (*clampValues)(const float* values, float limit, float* out, std::size_t length);
  /** To nearest, ties to even; NaNs stay NaNs, subnormals stay. The lower 16 bits of each value of `out` are zeros. */
  void (*roundToBfloat16)(const float* values, float* out, std::size_t length);
  /** @returns the index of the first NaN or infinity, or −1 */
  std::int64_t (*firstNonFinite)(const float* values, std::size_t length);
  /** In float64, in the order that norm.ts defines. */
  double (*sumOfSquares)(const float* values, std::size_t length);
  /** totals [numColumns] */
  void (*columnSumsOfSquares)(const float* values, std::size_t length, std::size_t numColumns, double* totals);
  void (*decayGradient)(const DecayGradient&);
  // Every update returns what firstNonFinite(out) would.
  std::int64_t (*sgdUpdate)(const SgdUpdate&);
  std::int64_t (*momentumUpdate)(const MomentumUpdate&);
  std::int64_t (*averagedSgdUpdate)(const AveragedSgdUpdate&);
  std::int64_t (*adagradUpdate)(const AdagradUpdate&);
  std::int64_t (*rmspropUpdate)(const RmspropUpdate&);
  std::int64_t (*adamUpdate)(const AdamUpdate&);
  /** `out` must be another array than `parameters`. */
  std::int64_t (*lambUpdate)(const LambUpdate&);
};

}  // namespace ostinato
