// Rows × a panel of bfloat16 values with float32 sums. The order is that of AMX's matrix unit: of each block
// of 32 inner indices the even and the odd ones add up from zero, each in ascending order with fused
// multiply-add; the two sums are added, and then that to the element. Subnormal numbers count as zeros.
// Every other processor does the same with its vectors, bit for bit (Intel, Architecture Instruction Set
// Extensions Programming Reference, TDPBF16PS). AVX-512 BF16's own dot product adds in another order: it is
// not used.
#pragma once

#include "matrix-unit.hpp"
#include "packed.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

#if defined(OSTINATO_AVX512) && !defined(OSTINATO_SMALL_TILES)
constexpr int kBfloat16VectorRows = 8;
#elif defined(OSTINATO_AVX2) || defined(OSTINATO_SMALL_TILES)
constexpr int kBfloat16VectorRows = 2;
#else
constexpr int kBfloat16VectorRows = 1;
#endif

/** Rows × one vector of a panel's columns; `pairs` at the vector's first pair. */
template <int Rows>
__attribute__((noinline)) void bfloat16VectorTile(const Bfloat16Left& left, const std::uint32_t* pairs, int blocks,
                                                  const Start& start, const Tile& out) {
  Vec16 sums[Rows];
  for (int row = 0; row < Rows; row++) {
    sums[row] = start.p == nullptr ? zero() : load(start.p + static_cast<std::size_t>(row) * start.rowStride);
  }
  for (int block = 0; block < blocks; block++) {
    const Bfloat16* rows = left.p + static_cast<std::size_t>(block) * left.blockStride;
    Vec16 even[Rows], odd[Rows];
    for (int row = 0; row < Rows; row++) even[row] = odd[row] = zero();
    for (int pair = 0; pair < kPairsOfBlock; pair++, pairs += kPanelColumns) {
      const EvenAndOdd right = loadPairs(pairs);
#pragma GCC unroll 8
      for (int row = 0; row < Rows; row++) {
        std::uint32_t both;
        std::memcpy(&both, rows + row * kBfloat16Block + 2 * pair, sizeof both);
        const EvenAndOdd factor = broadcastPair(both);
        even[row] = fma(factor.even, right.even, even[row]);
        odd[row] = fma(factor.odd, right.odd, odd[row]);
      }
    }
    for (int row = 0; row < Rows; row++) sums[row] = add(sums[row], add(even[row], odd[row]));
  }
  for (int row = 0; row < Rows; row++) store(out.p + static_cast<std::size_t>(row) * out.rowStride, sums[row]);
}

inline void bfloat16VectorProduct(const Bfloat16Left& left, int rows, const std::uint32_t* panel, int blocks,
                                  const Start& start, const Tile& out) {
  const FlushToZero scope;
  for (int row = 0; row < rows;) {
    const bool isWhole = rows - row >= kBfloat16VectorRows;
    for (int v = 0; v < kPanelVectors; v++) {
      const Bfloat16Left from = left.fromRow(row);
      const Start first = start.fromRow(row).fromVector(v);
      const Tile to{out.p + static_cast<std::size_t>(row) * out.rowStride + v * kLanes, out.rowStride};
      if (isWhole) {
        bfloat16VectorTile<kBfloat16VectorRows>(from, panel + v * kLanes, blocks, first, to);
      } else {
        bfloat16VectorTile<1>(from, panel + v * kLanes, blocks, first, to);
      }
    }
    row += isWhole ? kBfloat16VectorRows : 1;
  }
}

/** Rows × a panel's 32 columns, `blocks` blocks of the inner index. `out` may be `start`. */
inline void bfloat16Product(const Bfloat16Left& left, int rows, const std::uint32_t* panel, int blocks,
                            const Start& start, const Tile& out) {
#if defined(OSTINATO_MATRIX_UNIT)
  if (usesMatrixUnit()) {
    matrixUnitProduct(left, rows, panel, blocks, start, out);
    return;
  }
#endif
  bfloat16VectorProduct(left, rows, panel, blocks, start, out);
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
