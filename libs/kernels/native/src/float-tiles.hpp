// The left factor of kernel gradients in float32, packed for tiles, and its products.
#pragma once

#include "linear.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Columns of a sequence at some positions, in blocks of a tile's rows: [blocks][N][kTileRows]. */
inline void packLeftColumns(const float* rows, int columns, const LeafPositions& at, float* packed) {
  for (int first = 0; first < columns; first += kTileRows) {
    const int count = std::min(kTileRows, columns - first);
    for (int position : at.positions) {
      const float* row = rows + static_cast<std::size_t>(position) * columns + first;
      for (int k = 0; k < count; k++) packed[k] = row[k];
      for (int k = count; k < kTileRows; k++) packed[k] = 0.0f;
      packed += kTileRows;
    }
  }
}

/** The products of a node's leaves with one packed panel of their gradient, in tiles of rows. */
struct FloatTiles {
  static constexpr int kHeight = kTileRows;
  /** As `packLeftColumns` makes it. */
  const float* left;
  const float* panel;
  const LeafPositions& at;

  void product(int first, int rows, int columns, int leaf, const Start& start, const Tile& out) const {
    const std::size_t offset = static_cast<std::size_t>(at.starts[leaf]);
    const std::size_t count = static_cast<std::size_t>(at.count());
    const float* block = left + static_cast<std::size_t>(first) * count;
    // The columns of the next tile.
    const Upcoming next{block + (count + offset) * kTileRows, kTileRows};
    streamedTileOf<LeftOrder::packedColumns>(rows, vectorsOf(columns), {block + offset * kTileRows, 1, kTileRows},
                                             panel + offset * kPanelColumns, at.starts[leaf + 1] - at.starts[leaf],
                                             start, out, next);
  }
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
