// The factors of a bfloat16 product, as a matrix unit loads them: inner indices in blocks of 32.
#pragma once

#include <algorithm>

#include "../product.hpp"
#include "values.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

constexpr int kBfloat16TileRows = 16;
constexpr int kPairsOfBlock = kBfloat16Block / 2;
/** Of a block of a right panel, [pairs][32]. */
constexpr std::size_t kPanelBlockPairs = static_cast<std::size_t>(kPairsOfBlock) * kPanelColumns;

inline std::size_t bfloat16Rows(int rows) {
  return static_cast<std::size_t>((rows + kBfloat16TileRows - 1) / kBfloat16TileRows * kBfloat16TileRows);
}

/** A left factor [blocks][rows, up to a multiple of 16][32]; what rows beyond the last hold does not matter. */
struct Bfloat16Left {
  const Bfloat16* p;
  std::size_t blockStride;

  Bfloat16Left fromRow(int row) const {
    return {p + static_cast<std::size_t>(row) * kBfloat16Block, blockStride};
  }
  Bfloat16Left fromBlock(int block) const {
    return {p + static_cast<std::size_t>(block) * blockStride, blockStride};
  }
  static std::size_t sizeFor(int rows, int blocks) {
    return bfloat16Rows(rows) * static_cast<std::size_t>(blocks) * kBfloat16Block;
  }
};

/** Rows with a stride, `inner` values each, from row `first` to `end`. */
inline void packBfloat16Rows(const float* rows, std::size_t stride, int first, int end, int inner, Bfloat16* packed,
                             std::size_t blockStride) {
  for (int row = first; row < end; row++) {
    const float* from = rows + static_cast<std::size_t>(row) * stride;
    Bfloat16* to = packed + static_cast<std::size_t>(row) * kBfloat16Block;
    int left = inner;
    for (; left >= kBfloat16Block; left -= kBfloat16Block, from += kBfloat16Block, to += blockStride) {
      toBfloat16(from, kBfloat16Block, to);
    }
    if (left == 0) continue;
    toBfloat16(from, left, to);
    std::fill(to + left, to + kBfloat16Block, Bfloat16{0});
  }
}

/**
 * One block of the transpose of up to 32 rows of `columns` values, the row k at `rowAt(k)` → [columns][32].
 */
template <class RowAt>
inline void packBfloat16Transposed(const RowAt& rowAt, int count, int columns, Bfloat16* packed) {
  static const float none[kLanes] = {};
  for (int first = 0; first < columns; first += kLanes) {
    const int width = std::min(kLanes, columns - first);
    std::uint32_t pairs[kPairsOfBlock][kLanes];
    for (int pair = 0; pair < kPairsOfBlock; pair++) {
      const float* even = 2 * pair < count ? rowAt(2 * pair) + first : none;
      const float* odd = 2 * pair + 1 < count ? rowAt(2 * pair + 1) + first : none;
      // A length that the compiler knows makes vectors of it.
      if (width == kLanes) {
        pairUp(even, odd, kLanes, pairs[pair]);
      } else {
        pairUp(even, odd, width, pairs[pair]);
      }
    }
    for (int column = 0; column < width; column++) {
      std::uint32_t row[kPairsOfBlock];
      for (int pair = 0; pair < kPairsOfBlock; pair++) row[pair] = pairs[pair][column];
      std::memcpy(packed + static_cast<std::size_t>(first + column) * kBfloat16Block, row, sizeof row);
    }
  }
}

/** A float32 panel [inner][32] → [blocks][16 pairs][32]. */
inline void packBfloat16Panel(const float* panel, int inner, std::uint32_t* packed) {
  static const float none[kPanelColumns] = {};
  const int pairs = bfloat16Blocks(inner) * kPairsOfBlock;
  for (int pair = 0; pair < pairs; pair++) {
    const float* even = 2 * pair < inner ? panel + static_cast<std::size_t>(2 * pair) * kPanelColumns : none;
    const float* odd = 2 * pair + 1 < inner ? panel + static_cast<std::size_t>(2 * pair + 1) * kPanelColumns : none;
    pairUp(even, odd, kPanelColumns, packed + static_cast<std::size_t>(pair) * kPanelColumns);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
