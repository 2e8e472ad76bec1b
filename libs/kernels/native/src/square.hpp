// Transposing squares of 16 × 16 values in registers.
#pragma once

#include <cstddef>

#include "lanes.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

// transposeSquare: row n of the square becomes its column n.

#if defined(OSTINATO_AVX512)

OSTINATO_INLINE void transposeSquare(Vec16 rows[kLanes]) {
  // Pairs of rows, then fours of them: vector 4i + j holds columns j, 4 + j, 8 + j, 12 + j of rows 4i to 4i + 3.
  __m512 pairs[kLanes], fours[kLanes];
#pragma GCC unroll 8
  for (int n = 0; n < kLanes; n += 2) {
    pairs[n] = _mm512_unpacklo_ps(rows[n].v, rows[n + 1].v);
    pairs[n + 1] = _mm512_unpackhi_ps(rows[n].v, rows[n + 1].v);
  }
#pragma GCC unroll 4
  for (int n = 0; n < kLanes; n += 4) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
      const __m512d low = _mm512_castps_pd(pairs[n + half]), high = _mm512_castps_pd(pairs[n + half + 2]);
      fours[n + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      fours[n + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const __m512 even = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x88);
    const __m512 odd = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xdd);
    const __m512 laterEven = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512 laterOdd = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xdd);
    rows[j].v = _mm512_shuffle_f32x4(even, laterEven, 0x88);
    rows[4 + j].v = _mm512_shuffle_f32x4(odd, laterOdd, 0x88);
    rows[8 + j].v = _mm512_shuffle_f32x4(even, laterEven, 0xdd);
    rows[12 + j].v = _mm512_shuffle_f32x4(odd, laterOdd, 0xdd);
  }
}

#elif defined(OSTINATO_AVX2)

/** A quarter of it. */
OSTINATO_INLINE void transposeEight(__m256 rows[8]) {
  __m256 pairs[8], fours[8];
#pragma GCC unroll 4
  for (int n = 0; n < 8; n += 2) {
    pairs[n] = _mm256_unpacklo_ps(rows[n], rows[n + 1]);
    pairs[n + 1] = _mm256_unpackhi_ps(rows[n], rows[n + 1]);
  }
#pragma GCC unroll 2
  for (int n = 0; n < 8; n += 4) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
      fours[n + 2 * half] = _mm256_shuffle_ps(pairs[n + half], pairs[n + half + 2], 0x44);
      fours[n + 2 * half + 1] = _mm256_shuffle_ps(pairs[n + half], pairs[n + half + 2], 0xee);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    rows[j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x20);
    rows[4 + j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x31);
  }
}

OSTINATO_INLINE void transposeSquare(Vec16 rows[kLanes]) {
  __m256 quarters[2][2][8];
#pragma GCC unroll 16
  for (int n = 0; n < kLanes; n++) {
    quarters[n / 8][0][n % 8] = rows[n].low;
    quarters[n / 8][1][n % 8] = rows[n].high;
  }
#pragma GCC unroll 4
  for (int n = 0; n < 4; n++) transposeEight(quarters[n / 2][n % 2]);
#pragma GCC unroll 16
  for (int n = 0; n < kLanes; n++) rows[n] = {quarters[0][n / 8][n % 8], quarters[1][n / 8][n % 8]};
}

#else

OSTINATO_INLINE void transposeSquare(Vec16 rows[kLanes]) {
  float values[kLanes][kLanes], columns[kLanes][kLanes];
  for (int n = 0; n < kLanes; n++) store(values[n], rows[n]);
  for (int n = 0; n < kLanes; n++) {
    for (int k = 0; k < kLanes; k++) columns[k][n] = values[n][k];
  }
  for (int n = 0; n < kLanes; n++) rows[n] = load(columns[n]);
}

#endif

/** Up to 16 rows of up to 16 values each → their transpose, whose lanes beyond the rows are zeros. */
OSTINATO_INLINE void loadTransposed(const float* p, std::size_t stride, int numRows, int numColumns,
                                    Vec16 columns[kLanes]) {
  for (int n = 0; n < kLanes; n++) {
    columns[n] = n < numRows ? loadUpTo(p + static_cast<std::size_t>(n) * stride, numColumns) : zero();
  }
  transposeSquare(columns);
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
