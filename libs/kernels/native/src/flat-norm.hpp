// Sums of squares in float64, in the order that libs/kernels/src/flat/norm.ts defines: blocks of 4096 values,
// in each four lanes of every fourth value, (lane 0 + lane 1) + (lane 2 + lane 3); blocks in ascending order.
#pragma once

#include <cstring>

#include "flat-values.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

constexpr std::size_t kNormBlock = 4096;
constexpr std::size_t kNormLanes = 4;
/** Blocks that are summed side by side, since each addition waits for the one before it in its lane. */
constexpr std::size_t kNormBlocksAtOnce = 4;

inline double sumOfNormLanes(const double* lanes, std::size_t stride) {
  return (lanes[0] + lanes[stride]) + (lanes[2 * stride] + lanes[3 * stride]);
}

inline double sumNormBlock(const float* values, std::size_t count) {
  double lanes[kNormLanes] = {};
  for (std::size_t i = 0; i < count; i++) {
    const double value = static_cast<double>(values[i]);
    lanes[i % kNormLanes] += value * value;
  }
  return sumOfNormLanes(lanes, 1);
}

// The compiler would not see by itself that the four lanes are one vector.
typedef float NormFloats __attribute__((vector_size(kNormLanes * sizeof(float))));
typedef double NormDoubles __attribute__((vector_size(kNormLanes * sizeof(double))));

/** Four whole blocks that follow each other → their sums. */
inline void sumNormBlocks(const float* values, double* sums) {
  NormDoubles lanes[kNormBlocksAtOnce] = {};
  for (std::size_t i = 0; i < kNormBlock; i += kNormLanes) {
#pragma GCC unroll 4
    for (std::size_t block = 0; block < kNormBlocksAtOnce; block++) {
      NormFloats read;
      std::memcpy(&read, values + block * kNormBlock + i, sizeof read);
      const NormDoubles value = __builtin_convertvector(read, NormDoubles);
      lanes[block] += value * value;
    }
  }
  for (std::size_t block = 0; block < kNormBlocksAtOnce; block++) {
    double each[kNormLanes];
    std::memcpy(each, &lanes[block], sizeof each);
    sums[block] = sumOfNormLanes(each, 1);
  }
}

inline double sumOfSquares(const float* values, std::size_t length) {
  const std::size_t numBlocks = (length + kNormBlock - 1) / kNormBlock;
  std::vector<double> sums(numBlocks);
  const auto task = [&](int n) {
    const std::size_t block = static_cast<std::size_t>(n) * kNormBlocksAtOnce, first = block * kNormBlock;
    if (first + kNormBlocksAtOnce * kNormBlock <= length) {
      sumNormBlocks(values + first, sums.data() + block);
      return;
    }
    for (std::size_t at = block; at < numBlocks; at++) {
      sums[at] = sumNormBlock(values + at * kNormBlock, std::min(kNormBlock, length - at * kNormBlock));
    }
  };
  parallelFor(static_cast<int>((numBlocks + kNormBlocksAtOnce - 1) / kNormBlocksAtOnce), task);
  double total = 0.0;
  for (double sum : sums) total += sum;
  return total;
}

inline void columnSumsOfSquares(const float* values, std::size_t length, std::size_t numColumns, double* totals) {
  const std::size_t numRows = length / numColumns;
  std::vector<double> lanes(kNormLanes * numColumns);
  std::fill_n(totals, numColumns, 0.0);
  for (std::size_t first = 0; first < numRows; first += kNormBlock) {
    std::fill(lanes.begin(), lanes.end(), 0.0);
    const std::size_t end = std::min(first + kNormBlock, numRows);
    for (std::size_t row = first; row < end; row++) {
      double* lane = lanes.data() + (row - first) % kNormLanes * numColumns;
      const float* from = values + row * numColumns;
      for (std::size_t c = 0; c < numColumns; c++) {
        const double value = static_cast<double>(from[c]);
        lane[c] += value * value;
      }
    }
    for (std::size_t c = 0; c < numColumns; c++) totals[c] += sumOfNormLanes(lanes.data() + c, numColumns);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
