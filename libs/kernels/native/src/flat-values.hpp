// Sums, scales and checks of flat arrays, as libs/kernels/src/flat has them. Plain loops, which the compiler
// makes vectors of: every operation rounds by itself, so that this changes no bit.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "ostinato/flat.hpp"
#include "thread-pool.hpp"
#include "vec16.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Values that one task takes: a few arrays of them fit the second cache. */
constexpr std::size_t kFlatBlock = std::size_t{1} << 15;

inline int flatBlocksOf(std::size_t length) { return static_cast<int>((length + kFlatBlock - 1) / kFlatBlock); }

/** Calls `body(i)` for each place of the n-th block. A body reads and writes place i of its arrays alone. */
template <class Body>
inline void forEachPlaceOfBlock(int n, std::size_t length, const Body& body) {
  // A copy of its own, which stores to the arrays cannot change: its scalars stay in registers.
  const Body own = body;
  const std::size_t first = static_cast<std::size_t>(n) * kFlatBlock, end = std::min(length, first + kFlatBlock);
  // Place i of `out` may be place i of another array, never another place.
#pragma GCC ivdep
  for (std::size_t i = first; i < end; i++) own(i);
}

template <class Body>
inline void forEachPlace(std::size_t length, const Body& body) {
  parallelFor(flatBlocksOf(length), [&](int n) { forEachPlaceOfBlock(n, length, body); });
}

inline void treeAdd(const float* left, const float* right, float* out, std::size_t length) {
  forEachPlace(length, [=](std::size_t i) { out[i] = left[i] + right[i]; });
}

inline void scaleValues(const float* values, float scale, float* out, std::size_t length) {
  forEachPlace(length, [=](std::size_t i) { out[i] = values[i] * scale; });
}

inline void addScaled(float* values, float scale, const float* other, std::size_t length) {
  forEachPlace(length, [=](std::size_t i) { values[i] = values[i] + scale * other[i]; });
}

inline void scaleColumns(const float* values, const float* scales, float* out, std::size_t length,
                         std::size_t numColumns) {
  const std::size_t numRows = length / numColumns, perTask = std::max<std::size_t>(1, kFlatBlock / numColumns);
  const auto task = [=](int n) {
    const std::size_t end = std::min(numRows, (static_cast<std::size_t>(n) + 1) * perTask);
    for (std::size_t row = static_cast<std::size_t>(n) * perTask; row < end; row++) {
      const float* from = values + row * numColumns;
      float* to = out + row * numColumns;
#pragma GCC ivdep
      for (std::size_t c = 0; c < numColumns; c++) to[c] = from[c] * scales[c];
    }
  };
  parallelFor(static_cast<int>((numRows + perTask - 1) / perTask), task);
}

inline bool clampValues(const float* values, float limit, float* out, std::size_t length) {
  std::vector<char> isBeyond(static_cast<std::size_t>(flatBlocksOf(length)), 0);
  const auto task = [&, values, limit, out](int n) {
    const std::size_t first = static_cast<std::size_t>(n) * kFlatBlock, end = std::min(length, first + kFlatBlock);
    int any = 0;
#pragma GCC ivdep
    for (std::size_t i = first; i < end; i++) {
      const float value = values[i];
      any |= static_cast<int>(value > limit) | static_cast<int>(value < -limit);
      const float low = value < -limit ? -limit : value;
      out[i] = low > limit ? limit : low;
    }
    isBeyond[static_cast<std::size_t>(n)] = any != 0;
  };
  parallelFor(flatBlocksOf(length), task);
  return std::find(isBeyond.begin(), isBeyond.end(), 1) != isBeyond.end();
}

inline void roundToBfloat16(const float* values, float* out, std::size_t length) {
  forEachPlace(length, [=](std::size_t i) {
    std::uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    const std::uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u), quiet = bits | 0x00400000u;
    bits = ((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) & 0xffff0000u;
    std::memcpy(out + i, &bits, sizeof bits);
  });
}

/** Whether a value of the block is NaN or infinite: its exponent's bits are all set. */
inline bool hasNonFinite(const float* values, std::size_t count) {
  constexpr std::uint32_t kExponent = 0x7f800000u;
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < count; i++) {
    std::uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    any |= (bits & kExponent) == kExponent ? 1u : 0u;
  }
  return any != 0;
}

/** The first NaN or infinity of values that `compute(n)` may compute block by block just before, or -1. */
template <class Compute>
inline std::int64_t firstNonFiniteOf(const float* values, std::size_t length, const Compute& compute) {
  std::vector<char> found(static_cast<std::size_t>(flatBlocksOf(length)), 0);
  const auto task = [&](int n) {
    compute(n);
    const std::size_t first = static_cast<std::size_t>(n) * kFlatBlock;
    found[static_cast<std::size_t>(n)] = hasNonFinite(values + first, std::min(kFlatBlock, length - first));
  };
  parallelFor(flatBlocksOf(length), task);
  const auto block = std::find(found.begin(), found.end(), 1);
  if (block == found.end()) return -1;
  std::size_t place = static_cast<std::size_t>(block - found.begin()) * kFlatBlock;
  while (!hasNonFinite(values + place, 1)) place++;
  return static_cast<std::int64_t>(place);
}

inline std::int64_t firstNonFinite(const float* values, std::size_t length) {
  return firstNonFiniteOf(values, length, [](int) {});
}

/** As `forEachPlace`, for a body that writes `out`: the first NaN or infinity there, looked for while it is in a cache. */
template <class Body>
inline std::int64_t updateEachPlace(float* out, std::size_t length, const Body& body) {
  return firstNonFiniteOf(out, length, [&](int n) { forEachPlaceOfBlock(n, length, body); });
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
