// bfloat16: the upper half of a float32. Values are rounded to it when a product packs its factors; sums
// are float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../vec16.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

using Bfloat16 = std::uint16_t;

/** Inner indices that a product adds up at once; a packed factor has a multiple of them, zeros beyond the last. */
constexpr int kBfloat16Block = 32;

inline int bfloat16Blocks(int inner) { return (inner + kBfloat16Block - 1) / kBfloat16Block; }

OSTINATO_INLINE std::uint32_t bitsOf(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

/** To nearest, ties to even; a subnormal number becomes a zero of its sign, not a number stays so. */
OSTINATO_INLINE std::uint32_t bfloat16BitsOf(float x) {
  const std::uint32_t bits = bitsOf(x), magnitude = bits & 0x7fffffffu;
  const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = (bits >> 16) | 0x40u;
  const std::uint32_t zeroOfSign = (bits >> 16) & 0x8000u;
  return magnitude > 0x7f800000u ? quiet : magnitude < 0x00800000u ? zeroOfSign : rounded;
}

inline void toBfloat16(const float* from, int count, Bfloat16* to) {
  for (int k = 0; k < count; k++) to[k] = static_cast<Bfloat16>(bfloat16BitsOf(from[k]));
}

/** Values of two neighbouring inner indices side by side, the lower one in the lower half. */
inline void pairUp(const float* even, const float* odd, int count, std::uint32_t* to) {
  for (int k = 0; k < count; k++) to[k] = bfloat16BitsOf(even[k]) | (bfloat16BitsOf(odd[k]) << 16);
}

/** The lower and the upper halves of sixteen pairs, as float32. */
struct EvenAndOdd {
  Vec16 even, odd;
};

OSTINATO_INLINE EvenAndOdd loadPairs(const std::uint32_t* p) {
#if defined(OSTINATO_AVX512)
  const __m512i pairs = _mm512_loadu_si512(p);
  return {{_mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16))},
          {_mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))}};
#else
  float even[kLanes], odd[kLanes];
  for (int n = 0; n < kLanes; n++) {
    const std::uint32_t low = p[n] << 16, high = p[n] & 0xffff0000u;
    std::memcpy(even + n, &low, sizeof low);
    std::memcpy(odd + n, &high, sizeof high);
  }
  return {load(even), load(odd)};
#endif
}

OSTINATO_INLINE EvenAndOdd broadcastPair(std::uint32_t pair) {
  float even, odd;
  const std::uint32_t low = pair << 16, high = pair & 0xffff0000u;
  std::memcpy(&even, &low, sizeof low);
  std::memcpy(&odd, &high, sizeof high);
  return {broadcast(even), broadcast(odd)};
}

/**
 * Subnormal results are zeros while it lives, as a matrix unit has them. Where the processor can't be told,
 * they stay.
 */
class FlushToZero {
 public:
#if defined(__x86_64__)
  FlushToZero() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040u); }
  ~FlushToZero() { __builtin_ia32_ldmxcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushToZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (std::uint64_t{1} << 24)));
  }
  ~FlushToZero() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  std::uint64_t before_;
#else
  FlushToZero() {}
  ~FlushToZero() {}
#endif
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
