// bfloat16 products on AMX, the matrix unit of some x86 processors.
#pragma once

#include "../precision.hpp"
#include "packed.hpp"

#if defined(OSTINATO_AVX512) && defined(__linux__) && defined(__has_include)
#if __has_include(<amxbf16intrin.h>)
#define OSTINATO_MATRIX_UNIT
#endif
#endif

namespace ostinato {
namespace OSTINATO_ISA {

#if defined(OSTINATO_MATRIX_UNIT)

#define OSTINATO_AMX __attribute__((target("amx-tile,amx-bf16")))

struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, startRow = 0, reserved[14] = {};
  std::uint16_t bytesOfRow[16] = {};
  std::uint8_t rows[16] = {};

  /** Eight tiles of 16 rows of 64 bytes. */
  TileConfiguration() {
    for (int tile = 0; tile < 8; tile++) {
      bytesOfRow[tile] = 64;
      rows[tile] = 16;
    }
  }
};

/** The rows of a tile that are not all there start, and end, in a copy. */
struct alignas(64) TileCopy {
  float values[2 * kBfloat16TileRows * kPanelColumns];
};

/** Rows of two vectors each. */
inline void copyTileRows(int rows, const Start& from, const Tile& to) {
  for (int row = 0; row < rows; row++) {
    for (int v = 0; v < kPanelVectors; v++) {
      store(to.p + static_cast<std::size_t>(row) * to.rowStride + v * kLanes, load(from.fromRow(row).fromVector(v).p));
    }
  }
}

/** The sums of up to 32 rows are in tiles 0 to 3, rows by columns; tiles 4, 5 are of the left, 6, 7 of the right. */
OSTINATO_AMX __attribute__((noinline)) inline void matrixUnitProduct(const Bfloat16Left& left, int rows,
                                                                     const std::uint32_t* panel, int blocks,
                                                                     const Start& start, const Tile& out) {
  static const TileConfiguration configuration;
  constexpr int kHeight = 2 * kBfloat16TileRows;
  constexpr std::size_t kTile = static_cast<std::size_t>(kBfloat16TileRows);
  constexpr std::size_t kPanelBytes = kPanelColumns * sizeof(std::uint32_t);
  constexpr std::size_t kLeftBytes = kBfloat16Block * sizeof(Bfloat16);
  _tile_loadconfig(&configuration);
  TileCopy copy;
  for (int row = 0; row < rows; row += kHeight) {
    const int count = std::min(kHeight, rows - row);
    const bool isWhole = count == kHeight, hasSecond = count > kBfloat16TileRows;
    const Start from = start.fromRow(row);
    if (from.p == nullptr) {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    } else {
      // A single row for all is read as often as a tile has rows; others end where the last one does.
      const bool isCopied = !isWhole && from.rowStride != 0;
      if (isCopied) copyTileRows(count, from, {copy.values, kPanelColumns});
      const Start whole = isCopied ? Start{copy.values, kPanelColumns} : from;
      const std::size_t bytes = whole.rowStride * sizeof(float);
      _tile_loadd(0, whole.p, bytes);
      _tile_loadd(1, whole.p + whole.vectorStride, bytes);
      if (hasSecond) {
        const Start second = whole.fromRow(kBfloat16TileRows);
        _tile_loadd(2, second.p, bytes);
        _tile_loadd(3, second.p + second.vectorStride, bytes);
      }
    }
    const Bfloat16* a = left.fromRow(row).p;
    const std::uint32_t* b = panel;
    for (int block = 0; block < blocks; block++, a += left.blockStride, b += kPanelBlockPairs) {
      _tile_loadd(4, a, kLeftBytes);
      _tile_loadd(6, b, kPanelBytes);
      _tile_loadd(7, b + kLanes, kPanelBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if (!hasSecond) continue;
      _tile_loadd(5, a + kTile * kBfloat16Block, kLeftBytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    float* to = isWhole ? out.p + static_cast<std::size_t>(row) * out.rowStride : copy.values;
    const std::size_t toStride = isWhole ? out.rowStride : kPanelColumns, bytes = toStride * sizeof(float);
    _tile_stored(0, to, bytes);
    _tile_stored(1, to + kLanes, bytes);
    if (hasSecond) {
      _tile_stored(2, to + kTile * toStride, bytes);
      _tile_stored(3, to + kTile * toStride + kLanes, bytes);
    }
    if (isWhole) continue;
    copyTileRows(count, {copy.values, kPanelColumns},
                 {out.p + static_cast<std::size_t>(row) * out.rowStride, out.rowStride});
  }
  _tile_release();
}

#endif

}  // namespace OSTINATO_ISA
}  // namespace ostinato
