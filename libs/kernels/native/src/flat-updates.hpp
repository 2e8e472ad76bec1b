// The optimizers' updates, each in one pass, as libs/kernels/src/flat/updates has them: the same operations in
// the same order, so that the bits are the same.
#pragma once

#include <cmath>

#include "flat-norm.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

inline void decayGradient(const DecayGradient& u) {
  forEachPlace(u.length, [u](std::size_t i) {
    u.out[i] = u.gradient[i] * u.gradientScale + u.weightDecay * u.parameters[i];
  });
}

inline std::int64_t sgdUpdate(const SgdUpdate& u) {
  return updateEachPlace(u.out, u.length, [u](std::size_t i) {
    u.out[i] = u.parameters[i] - u.learningRate * (u.gradient[i] * u.gradientScale);
  });
}

template <bool Nesterov>
inline std::int64_t momentumOf(const MomentumUpdate& u) {
  return updateEachPlace(u.out, u.length, [u](std::size_t i) {
    const float g = u.gradient[i] * u.gradientScale;
    const float b = u.momentum * u.momentumBuffer[i] + u.taken * g;
    u.momentumBuffer[i] = b;
    const float direction = Nesterov ? g + u.momentum * b : b;
    u.out[i] = u.parameters[i] - u.learningRate * direction;
  });
}

inline std::int64_t momentumUpdate(const MomentumUpdate& u) {
  return u.nesterov ? momentumOf<true>(u) : momentumOf<false>(u);
}

template <bool SetsAverage>
inline std::int64_t averagedSgdOf(const AveragedSgdUpdate& u) {
  return updateEachPlace(u.out, u.length, [u](std::size_t i) {
    const float g = u.gradient[i] * u.gradientScale;
    const float next = u.shrinkage * u.parameters[i] - u.learningRate * g;
    const float a = u.average[i];
    // With a rate of 1, a + (p − a) is not always p.
    u.average[i] = SetsAverage ? next : a + u.averagingRate * (next - a);
    u.out[i] = next;
  });
}

inline std::int64_t averagedSgdUpdate(const AveragedSgdUpdate& u) {
  return u.averagingRate == 1.0f ? averagedSgdOf<true>(u) : averagedSgdOf<false>(u);
}

inline std::int64_t adagradUpdate(const AdagradUpdate& u) {
  return updateEachPlace(u.out, u.length, [u](std::size_t i) {
    const float g = u.gradient[i] * u.gradientScale;
    const float s = u.squareSum[i] + g * g;
    u.squareSum[i] = s;
    u.out[i] = u.parameters[i] - u.learningRate * g / (std::sqrt(s) + u.epsilon);
  });
}

template <bool Centered, bool Momentum>
inline std::int64_t rmspropOf(const RmspropUpdate& u) {
  return updateEachPlace(u.out, u.length, [u](std::size_t i) {
    const float g = u.gradient[i] * u.gradientScale;
    float square = u.decay * u.squareAverage[i] + u.rest * g * g;
    u.squareAverage[i] = square;
    if constexpr (Centered) {
      const float previous = u.gradientAverage[i];
      const float m = previous + u.rest * (g - previous);
      u.gradientAverage[i] = m;
      const float variance = square - m * m;
      // Rounding can make it negative; not a number stays so.
      square = variance <= 0.0f ? 0.0f : variance;
    }
    const float denominator = std::sqrt(square) + u.epsilon;
    if constexpr (Momentum) {
      const float b = u.momentum * u.momentumBuffer[i] + g / denominator;
      u.momentumBuffer[i] = b;
      u.out[i] = u.parameters[i] - u.learningRate * b;
    } else {
      u.out[i] = u.parameters[i] - u.learningRate * g / denominator;
    }
  });
}

inline std::int64_t rmspropUpdate(const RmspropUpdate& u) {
  const bool centered = u.gradientAverage != nullptr;
  if (u.momentumBuffer != nullptr) return centered ? rmspropOf<true, true>(u) : rmspropOf<false, true>(u);
  return centered ? rmspropOf<true, false>(u) : rmspropOf<false, false>(u);
}

struct Moments {
  float m, v;
};

/** Of Adam and LAMB: the moments at a place, moved on by the scaled gradient there. */
template <class Update>
OSTINATO_INLINE Moments movedMoments(const Update& u, std::size_t i, float g) {
  const float previous = u.firstMoment[i];
  const float m = previous + u.rest1 * (g - previous);
  const float v = u.beta2 * u.secondMoment[i] + u.rest2 * g * g;
  u.firstMoment[i] = m;
  u.secondMoment[i] = v;
  return {m, v};
}

template <bool Amsgrad>
inline std::int64_t adamOf(const AdamUpdate& u) {
  return updateEachPlace(u.out, u.length, [u](std::size_t i) {
    auto [m, v] = movedMoments(u, i, u.gradient[i] * u.gradientScale);
    if constexpr (Amsgrad) {
      const float largest = u.maxSecondMoment[i];
      // As Math.max: not a number if either is not.
      v = v > largest || v != v ? v : largest;
      u.maxSecondMoment[i] = v;
    }
    u.out[i] = u.parameters[i] - u.stepSize * m / (std::sqrt(v) + u.epsilon);
  });
}

inline std::int64_t adamUpdate(const AdamUpdate& u) {
  return u.maxSecondMoment != nullptr ? adamOf<true>(u) : adamOf<false>(u);
}

template <bool Decays>
inline void lambDirection(const LambUpdate& u) {
  forEachPlace(u.length, [u](std::size_t i) {
    const auto [m, v] = movedMoments(u, i, u.gradient[i] * u.gradientScale);
    const float root = std::sqrt(v) * u.correction2;
    const float r = m * u.correction1 / (root + u.epsilon);
    u.out[i] = Decays ? r + u.weightDecay * u.parameters[i] : r;
  });
}

inline std::int64_t lambUpdate(const LambUpdate& u) {
  // Without a decay, r and not r + 0·p, which need not have its bits.
  if (u.weightDecay == 0.0f) {
    lambDirection<false>(u);
  } else {
    lambDirection<true>(u);
  }
  const double weightNorm = std::sqrt(sumOfSquares(u.parameters, u.length));
  const double directionNorm = std::sqrt(sumOfSquares(u.out, u.length));
  const bool hasRatio = weightNorm > 0.0 && directionNorm > 0.0;
  const double ratio = hasRatio ? std::min(weightNorm, u.maxWeightNorm) / directionNorm : 1.0;
  const float stepSize = static_cast<float>(u.learningRate * ratio);
  return updateEachPlace(u.out, u.length, [u, stepSize](std::size_t i) { u.out[i] = u.parameters[i] - stepSize * u.out[i]; });
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
