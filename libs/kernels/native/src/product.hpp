// Matrix products from a packed right factor. An element of the product adds up in ascending order of the
// inner index with fused multiply-add, whatever the tiles are: neither the instruction set nor the other
// rows change a bit.
#pragma once

#include <algorithm>
#include <cstddef>

#include "square.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Columns of a packed panel: two vectors. A panel is [K][32]; columns beyond the last are zeros. */
constexpr int kPanelVectors = 2;
constexpr int kPanelColumns = kPanelVectors * kLanes;

// As many sums as the registers hold besides a row of the panel and a broadcast factor.
#if defined(OSTINATO_SMALL_TILES)
// Less code, for builds that check each access; the bits do not depend on it.
constexpr int kTileRows = 3, kTileVectors = 1;
#elif defined(OSTINATO_AVX512)
constexpr int kTileRows = 12, kTileVectors = 2;
#elif defined(OSTINATO_NEON)
constexpr int kTileRows = 5, kTileVectors = 1;
#elif defined(OSTINATO_AVX2)
constexpr int kTileRows = 6, kTileVectors = 1;
#else
constexpr int kTileRows = 2, kTileVectors = 1;
#endif

/**
 * The left factor: element (row, k) lies at p[row · rowStride + (k / blockSize) · blockStride +
 * (k % blockSize) · innerStride] if it is in blocks, else at p[row · rowStride + k · innerStride].
 */
struct LeftFactor {
  const float* p;
  std::size_t rowStride;
  std::size_t innerStride = 1;
  /** 0: not in blocks. */
  std::size_t blockStride = 0;
  int blockSize = kPanelColumns;

  LeftFactor fromRow(int row) const {
    return {p + static_cast<std::size_t>(row) * rowStride, rowStride, innerStride, blockStride, blockSize};
  }
};

/**
 * What the sums start from: the n-th vector of a row lies at p[row · rowStride + n · vectorStride];
 * nullptr: zeros.
 */
struct Start {
  const float* p;
  std::size_t rowStride;
  std::size_t vectorStride = kLanes;

  const float* vector(int row, int v) const {
    return p + static_cast<std::size_t>(row) * rowStride + static_cast<std::size_t>(v) * vectorStride;
  }
  Start fromRow(int row) const { return {p == nullptr ? p : vector(row, 0), rowStride, vectorStride}; }
  Start fromVector(int v) const { return {p == nullptr ? p : vector(0, v), rowStride, vectorStride}; }
};

struct Tile {
  float* p;
  std::size_t rowStride;

  Tile fromRow(int row) const { return {p + static_cast<std::size_t>(row) * rowStride, rowStride}; }
  Tile fromVector(int v) const { return {p + static_cast<std::size_t>(v) * kLanes, rowStride}; }
};

template <int Rows, int Vectors>
OSTINATO_INLINE void tileProduct(const LeftFactor& left, const float* panel, int inner,
                                 const Start& start, const Tile& out) {
  Vec16 sums[Rows][Vectors];
#pragma GCC unroll 16
  for (int row = 0; row < Rows; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) sums[row][v] = start.p == nullptr ? zero() : load(start.vector(row, v));
  }
  const int perBlock = left.blockStride == 0 ? inner : left.blockSize;
  const std::size_t rowStride = left.rowStride;
  const float* block = left.p;
  for (int done = 0; done < inner; done += perBlock) {
    const float* p = block;
    if (left.blockStride != 0) {
#pragma GCC unroll 16
      for (int row = 0; row < Rows; row++) {
        const float* next = block + left.blockStride + static_cast<std::size_t>(row) * rowStride;
        __builtin_prefetch(next);
        __builtin_prefetch(next + kLanes);
      }
    }
    const int count = std::min(perBlock, inner - done);
    for (int k = 0; k < count; k++) {
      Vec16 right[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) right[v] = load(panel + v * kLanes);
#pragma GCC unroll 16
      for (int row = 0; row < Rows; row++) {
        const Vec16 factor = broadcast(p[static_cast<std::size_t>(row) * rowStride]);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; v++) sums[row][v] = fma(factor, right[v], sums[row][v]);
      }
      p += left.innerStride;
      panel += kPanelColumns;
    }
    block += left.blockStride;
  }
#pragma GCC unroll 16
  for (int row = 0; row < Rows; row++) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      store(out.p + static_cast<std::size_t>(row) * out.rowStride + v * kLanes, sums[row][v]);
    }
  }
}

template <int Rows, int Vectors>
__attribute__((noinline)) void panelTile(const LeftFactor& left, const float* panel, int inner,
                                         const Start& start, const Tile& out) {
  tileProduct<Rows, Vectors>(left, panel, inner, start, out);
}

/** Up to `kTileRows` rows × the first `vectors` vectors of a panel. */
template <int Vectors>
void tileOfVectors(int rows, const LeftFactor& left, const float* panel, int inner, const Start& start,
                   const Tile& out) {
  switch (rows) {
#define OSTINATO_TILE(ROWS)                                                                    \
  case ROWS:                                                                                   \
    if constexpr (ROWS <= kTileRows) panelTile<ROWS, Vectors>(left, panel, inner, start, out); \
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

inline void tileOf(int rows, int vectors, const LeftFactor& left, const float* panel, int inner,
                   const Start& start, const Tile& out) {
  if (vectors == kTileVectors) {
    tileOfVectors<kTileVectors>(rows, left, panel, inner, start, out);
    return;
  }
  for (int v = 0; v < vectors; v++) {
    tileOfVectors<1>(rows, left, panel + v * kLanes, inner, start.fromVector(v), out.fromVector(v));
  }
}

/** Vectors of a panel that hold `columns` columns. */
inline int vectorsOf(int columns) { return columns > kLanes ? kPanelVectors : 1; }

/** Rows × the first vectors of one panel → [rows, vectors · 16], in tiles of about equal height. */
inline void panelProduct(const LeftFactor& left, int rows, int vectors, const float* panel, int inner,
                         const Start& start, const Tile& out) {
  const int tiles = (rows + kTileRows - 1) / kTileRows;
  for (int tile = 0, row = 0; tile < tiles; tile++) {
    const int height = (rows - row) / (tiles - tile);
    tileOf(height, vectors, left.fromRow(row), panel, inner, start.fromRow(row), out.fromRow(row));
    row += height;
  }
}

inline int panelsOf(int columns) { return (columns + kPanelColumns - 1) / kPanelColumns; }

/** Up to 32 values, zeros beyond. */
OSTINATO_INLINE void copyPanelRow(const float* from, int count, float* to) {
  if (count >= kPanelColumns) {
    store(to, load(from));
    store(to + kLanes, load(from + kLanes));
    return;
  }
  const int low = std::min(count, kLanes), high = count - low;
  store(to, loadFirst(from, low));
  store(to + kLanes, high > 0 ? loadFirst(from + kLanes, high) : zero());
}

/** `count` columns from `first` on of a matrix [K, stride] → a panel [K][32]. */
inline void packPanel(const float* matrix, std::size_t stride, int inner, int first, int count,
                      float* panel) {
  for (int k = 0; k < inner; k++) {
    copyPanelRow(matrix + static_cast<std::size_t>(k) * stride + first, count, panel);
    panel += kPanelColumns;
  }
}

/** `count` ROWS from `first` on of a matrix [rows, stride] → a panel [K][32] of its transpose. */
inline void packTransposedPanel(const float* matrix, std::size_t stride, int inner, int first, int count,
                                float* panel) {
  for (int v = 0; v < kPanelVectors; v++) {
    const int numRows = std::max(0, std::min(kLanes, count - v * kLanes));
    const float* rows = matrix + static_cast<std::size_t>(first + v * kLanes) * stride;
    for (int k = 0; k < inner; k += kLanes) {
      const int numColumns = std::min(kLanes, inner - k);
      Vec16 columns[kLanes];
      loadTransposed(rows + k, stride, numRows, numColumns, columns);
      float* to = panel + static_cast<std::size_t>(k) * kPanelColumns + v * kLanes;
      for (int n = 0; n < numColumns; n++) store(to + n * kPanelColumns, columns[n]);
    }
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
