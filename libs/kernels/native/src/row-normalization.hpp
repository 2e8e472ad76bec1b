// Layer normalization (Ba et al. 2016) of one row by itself; sums over 16 virtual lanes.
#pragma once

#include <cmath>

#include "sequence-steps.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Writes (row − mean) / √(variance + epsilon), which may take the row's place; returns 1 / √(…). */
inline float normalizeRow(const float* row, int numColumns, float epsilon, float* normalized) {
  const float count = static_cast<float>(numColumns);
  Vec16 sum = zero(), squares = zero();
  for (int k = 0; k < numColumns; k += kLanes) sum = add(sum, loadUpTo(row + k, numColumns - k));
  const Vec16 mean = broadcast(sumOfLanes(sum) / count);
  for (int k = 0; k < numColumns; k += kLanes) {
    const int lanes = numColumns - k;
    storeUpTo(normalized + k, sub(loadUpTo(row + k, lanes), mean), lanes);
    // Loaded again: lanes beyond the row are zeros then, not −mean.
    const Vec16 centered = loadUpTo(normalized + k, lanes);
    squares = fma(centered, centered, squares);
  }
  const float inverse = 1.0f / std::sqrt(sumOfLanes(squares) / count + epsilon);
  for (int k = 0; k < numColumns; k += kLanes) {
    const int lanes = numColumns - k;
    storeUpTo(normalized + k, mul(loadUpTo(normalized + k, lanes), broadcast(inverse)), lanes);
  }
  return inverse;
}

/** x·gain; x without a gain. */
OSTINATO_INLINE Vec16 scaledBy(const float* gain, Vec16 x, int lanes) {
  return gain == nullptr ? x : mul(x, loadUpTo(gain, lanes));
}

/** From the gradient after normalization and gain; `rowGradient` may be `gradient`. */
inline void normalizedRowGradient(const float* gradient, const float* gain, const float* normalized,
                                  float inverseDeviation, int numColumns, float* rowGradient) {
  const auto scaledAt = [&](int k) {
    const int lanes = numColumns - k;
    return scaledBy(gain == nullptr ? nullptr : gain + k, loadUpTo(gradient + k, lanes), lanes);
  };
  const float count = static_cast<float>(numColumns);
  Vec16 sum = zero(), slopes = zero();
  for (int k = 0; k < numColumns; k += kLanes) {
    const Vec16 scaled = scaledAt(k);
    sum = add(sum, scaled);
    slopes = fma(scaled, loadUpTo(normalized + k, numColumns - k), slopes);
  }
  const Vec16 mean = broadcast(sumOfLanes(sum) / count), inverse = broadcast(inverseDeviation);
  const Vec16 negativeSlope = sub(zero(), broadcast(sumOfLanes(slopes) / count));
  for (int k = 0; k < numColumns; k += kLanes) {
    const int lanes = numColumns - k;
    const Vec16 centered = fma(loadUpTo(normalized + k, lanes), negativeSlope, sub(scaledAt(k), mean));
    storeUpTo(rowGradient + k, mul(centered, inverse), lanes);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
