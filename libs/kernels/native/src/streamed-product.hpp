// Products of left factors that lie in order in memory: whole rows, or columns packed for a tile. An element
// adds up as in product.hpp; while it does, the tile asks for what comes next, since a product by itself leaves
// the way to memory idle.
#pragma once

#include "product.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Rows of a panel that are asked for ahead of their use: what the second cache takes to answer. */
constexpr std::size_t kPanelPrefetchRows = 24;

/** What is used later, to be brought into the second cache: so many floats for each inner index. */
struct Upcoming {
  const float* p;
  std::size_t stride;
};

/** How the left factor of a tile lies: [rows][K], or [K][kTileRows]. */
enum class LeftOrder { rows, packedColumns };

template <LeftOrder Order, int Rows, int Vectors>
__attribute__((noinline)) void streamedTile(const LeftFactor& left, const float* panel, int inner, const Start& start,
                                       const Tile& out, const Upcoming& next) {
  Vec16 sums[Rows][Vectors];
#pragma GCC unroll 16
  for (int row = 0; row < Rows; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) sums[row][v] = start.p == nullptr ? zero() : load(start.vector(row, v));
  }
  constexpr bool isPacked = Order == LeftOrder::packedColumns;
  constexpr std::size_t innerStride = isPacked ? kTileRows : 1;
  const std::size_t rowStride = isPacked ? 1 : left.rowStride, nextStride = next.stride;
  const float* later = next.p;
  const float* p = left.p;
  for (int k = 0; k < inner; k++) {
    Vec16 right[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      right[v] = load(panel + v * kLanes);
      __builtin_prefetch(panel + kPanelPrefetchRows * kPanelColumns + v * kLanes);
    }
    if (isPacked) __builtin_prefetch(p + kPanelPrefetchRows * innerStride);
    __builtin_prefetch(later, 0, 2);
    later += nextStride;
#pragma GCC unroll 16
    for (int row = 0; row < Rows; row++) {
      const Vec16 factor = broadcast(p[static_cast<std::size_t>(row) * rowStride]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) sums[row][v] = fma(factor, right[v], sums[row][v]);
    }
    p += innerStride;
    panel += kPanelColumns;
  }
#pragma GCC unroll 16
  for (int row = 0; row < Rows; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      store(out.p + static_cast<std::size_t>(row) * out.rowStride + v * kLanes, sums[row][v]);
    }
  }
}

/** Up to `kTileRows` rows × the first vectors of a panel. */
template <LeftOrder Order, int Vectors>
void streamedTileOfVectors(int rows, const LeftFactor& left, const float* panel, int inner, const Start& start,
                           const Tile& out, const Upcoming& next) {
  switch (rows) {
#define OSTINATO_TILE(ROWS)                                                             \
  case ROWS:                                                                            \
    if constexpr (ROWS <= kTileRows) {                                                  \
      streamedTile<Order, ROWS, Vectors>(left, panel, inner, start, out, next);         \
    }                                                                                   \
    return;
    OSTINATO_TILE(1)
    OSTINATO_TILE(2)
    OSTINATO_TILE(3)
    OSTINATO_TILE(4)
    OSTINATO_TILE(5)
    OSTINATO_TILE(6)
    OSTINATO_TILE(7)
    OSTINATO_TILE(8)
    OSTINATO_TILE(9)
    OSTINATO_TILE(10)
    OSTINATO_TILE(11)
    OSTINATO_TILE(12)
#undef OSTINATO_TILE
    default:
      return;
  }
}

template <LeftOrder Order>
inline void streamedTileOf(int rows, int vectors, const LeftFactor& left, const float* panel, int inner,
                           const Start& start, const Tile& out, const Upcoming& next) {
  if (vectors == kTileVectors) {
    streamedTileOfVectors<Order, kTileVectors>(rows, left, panel, inner, start, out, next);
    return;
  }
  for (int v = 0; v < vectors; v++) {
    streamedTileOfVectors<Order, 1>(rows, left, panel + v * kLanes, inner, start.fromVector(v), out.fromVector(v),
                                    next);
  }
}

/**
 * Rows × the first vectors of one panel → [rows, vectors · 16], in tiles of about equal height; `next` is a
 * panel of the same size that is used later.
 */
inline void rowProduct(const LeftFactor& left, int rows, int vectors, const float* panel, int inner,
                       const Start& start, const Tile& out, const float* next) {
  if (rows == 0) return;
  const int tiles = (rows + kTileRows - 1) / kTileRows;
  Upcoming later{next, static_cast<std::size_t>((kPanelColumns + tiles - 1) / tiles)};
  for (int tile = 0, row = 0; tile < tiles; tile++) {
    const int height = (rows - row) / (tiles - tile);
    streamedTileOf<LeftOrder::rows>(height, vectors, left.fromRow(row), panel, inner, start.fromRow(row),
                                    out.fromRow(row), later);
    later.p += later.stride * static_cast<std::size_t>(inner);
    row += height;
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
