// Sixteen float32 lanes, whatever the processor's registers hold: the one thing that differs between
// instruction sets. Every operation rounds once, as IEEE 754 says, so that all of them give the same bits.
//
// OSTINATO_ISA names the instruction set that a translation unit is compiled for. It names the namespace
// too: a template that was compiled for one processor must never be linked into the code of another.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(OSTINATO_AVX512) || defined(OSTINATO_AVX2)
#include <immintrin.h>
#elif defined(OSTINATO_NEON)
#include <arm_neon.h>
#endif

#if defined(OSTINATO_AVX512)
#define OSTINATO_ISA avx512
#elif defined(OSTINATO_AVX2)
#define OSTINATO_ISA avx2
#elif defined(OSTINATO_NEON)
#define OSTINATO_ISA neon
#else
#define OSTINATO_ISA portable
#endif

#define OSTINATO_INLINE inline __attribute__((always_inline))

namespace ostinato {
namespace OSTINATO_ISA {

constexpr int kLanes = 16;

#if defined(OSTINATO_AVX512)

struct Vec16 {
  __m512 v;
};

OSTINATO_INLINE __mmask16 firstLanes(int count) {
  return static_cast<__mmask16>((1u << count) - 1u);
}
OSTINATO_INLINE Vec16 zero() { return {_mm512_setzero_ps()}; }
OSTINATO_INLINE Vec16 broadcast(float x) { return {_mm512_set1_ps(x)}; }
OSTINATO_INLINE Vec16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
OSTINATO_INLINE Vec16 loadFirst(const float* p, int count) {
  return {_mm512_maskz_loadu_ps(firstLanes(count), p)};
}
OSTINATO_INLINE void store(float* p, Vec16 a) { _mm512_storeu_ps(p, a.v); }
OSTINATO_INLINE void storeFirst(float* p, Vec16 a, int count) {
  _mm512_mask_storeu_ps(p, firstLanes(count), a.v);
}
OSTINATO_INLINE Vec16 add(Vec16 a, Vec16 b) { return {_mm512_add_ps(a.v, b.v)}; }
OSTINATO_INLINE Vec16 sub(Vec16 a, Vec16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
OSTINATO_INLINE Vec16 mul(Vec16 a, Vec16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
OSTINATO_INLINE Vec16 div(Vec16 a, Vec16 b) { return {_mm512_div_ps(a.v, b.v)}; }
OSTINATO_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
OSTINATO_INLINE Vec16 larger(Vec16 a, Vec16 b) { return {_mm512_max_ps(a.v, b.v)}; }
OSTINATO_INLINE Vec16 smaller(Vec16 a, Vec16 b) { return {_mm512_min_ps(a.v, b.v)}; }
OSTINATO_INLINE Vec16 positiveOrZero(Vec16 condition, Vec16 a) {
  const __mmask16 isPositive =
      _mm512_cmp_ps_mask(condition.v, _mm512_setzero_ps(), _CMP_GT_OQ);
  return {_mm512_maskz_mov_ps(isPositive, a.v)};
}
OSTINATO_INLINE Vec16 powerOfTwoFromMagic(Vec16 magic) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(magic.v), 23))};
}

#elif defined(OSTINATO_AVX2)

struct Vec16 {
  __m256 low, high;
};

OSTINATO_INLINE __m256i laneMask(int count) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes);
}
OSTINATO_INLINE Vec16 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
OSTINATO_INLINE Vec16 broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
OSTINATO_INLINE Vec16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
OSTINATO_INLINE Vec16 loadFirst(const float* p, int count) {
  return {_mm256_maskload_ps(p, laneMask(count)), _mm256_maskload_ps(p + 8, laneMask(count - 8))};
}
OSTINATO_INLINE void store(float* p, Vec16 a) {
  _mm256_storeu_ps(p, a.low);
  _mm256_storeu_ps(p + 8, a.high);
}
OSTINATO_INLINE void storeFirst(float* p, Vec16 a, int count) {
  _mm256_maskstore_ps(p, laneMask(count), a.low);
  _mm256_maskstore_ps(p + 8, laneMask(count - 8), a.high);
}
#define OSTINATO_HALVES(NAME, INTRINSIC)                             \
  OSTINATO_INLINE Vec16 NAME(Vec16 a, Vec16 b) {                     \
    return {INTRINSIC(a.low, b.low), INTRINSIC(a.high, b.high)};     \
  }
OSTINATO_HALVES(add, _mm256_add_ps)
OSTINATO_HALVES(sub, _mm256_sub_ps)
OSTINATO_HALVES(mul, _mm256_mul_ps)
OSTINATO_HALVES(div, _mm256_div_ps)
OSTINATO_HALVES(larger, _mm256_max_ps)
OSTINATO_HALVES(smaller, _mm256_min_ps)
#undef OSTINATO_HALVES
OSTINATO_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
OSTINATO_INLINE Vec16 positiveOrZero(Vec16 condition, Vec16 a) {
  const __m256 none = _mm256_setzero_ps();
  return {_mm256_and_ps(_mm256_cmp_ps(condition.low, none, _CMP_GT_OQ), a.low),
          _mm256_and_ps(_mm256_cmp_ps(condition.high, none, _CMP_GT_OQ), a.high)};
}
OSTINATO_INLINE Vec16 powerOfTwoFromMagic(Vec16 magic) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(magic.low), 23)),
          _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(magic.high), 23))};
}

#elif defined(OSTINATO_NEON)

struct Vec16 {
  float32x4_t q[4];
};

#define OSTINATO_QUARTERS(EXPRESSION) \
  Vec16 result;                       \
  for (int n = 0; n < 4; n++) result.q[n] = (EXPRESSION); \
  return result

OSTINATO_INLINE Vec16 broadcast(float x) { OSTINATO_QUARTERS(vdupq_n_f32(x)); }
OSTINATO_INLINE Vec16 zero() { return broadcast(0.0f); }
OSTINATO_INLINE Vec16 load(const float* p) { OSTINATO_QUARTERS(vld1q_f32(p + 4 * n)); }
OSTINATO_INLINE Vec16 loadFirst(const float* p, int count) {
  float lanes[kLanes] = {};
  std::memcpy(lanes, p, sizeof(float) * static_cast<unsigned>(count));
  return load(lanes);
}
OSTINATO_INLINE void store(float* p, Vec16 a) {
  for (int n = 0; n < 4; n++) vst1q_f32(p + 4 * n, a.q[n]);
}
OSTINATO_INLINE void storeFirst(float* p, Vec16 a, int count) {
  float lanes[kLanes];
  store(lanes, a);
  std::memcpy(p, lanes, sizeof(float) * static_cast<unsigned>(count));
}
OSTINATO_INLINE Vec16 add(Vec16 a, Vec16 b) { OSTINATO_QUARTERS(vaddq_f32(a.q[n], b.q[n])); }
OSTINATO_INLINE Vec16 sub(Vec16 a, Vec16 b) { OSTINATO_QUARTERS(vsubq_f32(a.q[n], b.q[n])); }
OSTINATO_INLINE Vec16 mul(Vec16 a, Vec16 b) { OSTINATO_QUARTERS(vmulq_f32(a.q[n], b.q[n])); }
OSTINATO_INLINE Vec16 div(Vec16 a, Vec16 b) { OSTINATO_QUARTERS(vdivq_f32(a.q[n], b.q[n])); }
OSTINATO_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  OSTINATO_QUARTERS(vfmaq_f32(c.q[n], a.q[n], b.q[n]));
}
OSTINATO_INLINE Vec16 larger(Vec16 a, Vec16 b) {
  OSTINATO_QUARTERS(vbslq_f32(vcgtq_f32(a.q[n], b.q[n]), a.q[n], b.q[n]));
}
OSTINATO_INLINE Vec16 smaller(Vec16 a, Vec16 b) {
  OSTINATO_QUARTERS(vbslq_f32(vcltq_f32(a.q[n], b.q[n]), a.q[n], b.q[n]));
}
OSTINATO_INLINE Vec16 positiveOrZero(Vec16 condition, Vec16 a) {
  OSTINATO_QUARTERS(
      vbslq_f32(vcgtq_f32(condition.q[n], vdupq_n_f32(0.0f)), a.q[n], vdupq_n_f32(0.0f)));
}
OSTINATO_INLINE Vec16 powerOfTwoFromMagic(Vec16 magic) {
  OSTINATO_QUARTERS(
      vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(magic.q[n]), 23)));
}
#undef OSTINATO_QUARTERS

#else

struct Vec16 {
  float lane[kLanes];
};

#define OSTINATO_EACH(EXPRESSION)                                   \
  Vec16 result;                                                     \
  for (int n = 0; n < kLanes; n++) result.lane[n] = (EXPRESSION);   \
  return result

OSTINATO_INLINE Vec16 broadcast(float x) { OSTINATO_EACH(x); }
OSTINATO_INLINE Vec16 zero() { return broadcast(0.0f); }
OSTINATO_INLINE Vec16 load(const float* p) { OSTINATO_EACH(p[n]); }
OSTINATO_INLINE Vec16 loadFirst(const float* p, int count) { OSTINATO_EACH(n < count ? p[n] : 0.0f); }
OSTINATO_INLINE void store(float* p, Vec16 a) { std::memcpy(p, a.lane, sizeof a.lane); }
OSTINATO_INLINE void storeFirst(float* p, Vec16 a, int count) {
  std::memcpy(p, a.lane, sizeof(float) * static_cast<unsigned>(count));
}
OSTINATO_INLINE Vec16 add(Vec16 a, Vec16 b) { OSTINATO_EACH(a.lane[n] + b.lane[n]); }
OSTINATO_INLINE Vec16 sub(Vec16 a, Vec16 b) { OSTINATO_EACH(a.lane[n] - b.lane[n]); }
OSTINATO_INLINE Vec16 mul(Vec16 a, Vec16 b) { OSTINATO_EACH(a.lane[n] * b.lane[n]); }
OSTINATO_INLINE Vec16 div(Vec16 a, Vec16 b) { OSTINATO_EACH(a.lane[n] / b.lane[n]); }
OSTINATO_INLINE Vec16 fma(Vec16 a, Vec16 b, Vec16 c) {
  OSTINATO_EACH(std::fma(a.lane[n], b.lane[n], c.lane[n]));
}
OSTINATO_INLINE Vec16 larger(Vec16 a, Vec16 b) {
  OSTINATO_EACH(a.lane[n] > b.lane[n] ? a.lane[n] : b.lane[n]);
}
OSTINATO_INLINE Vec16 smaller(Vec16 a, Vec16 b) {
  OSTINATO_EACH(a.lane[n] < b.lane[n] ? a.lane[n] : b.lane[n]);
}
OSTINATO_INLINE Vec16 positiveOrZero(Vec16 condition, Vec16 a) {
  OSTINATO_EACH(condition.lane[n] > 0.0f ? a.lane[n] : 0.0f);
}
OSTINATO_INLINE Vec16 powerOfTwoFromMagic(Vec16 magic) {
  Vec16 result;
  for (int n = 0; n < kLanes; n++) {
    std::uint32_t bits;
    std::memcpy(&bits, &magic.lane[n], sizeof bits);
    bits <<= 23;
    std::memcpy(&result.lane[n], &bits, sizeof bits);
  }
  return result;
}
#undef OSTINATO_EACH

#endif

// `larger` and `smaller` give the SECOND one when either is not a number, on every processor.
// `positiveOrZero` gives `a` where the condition is above 0, else 0.

}  // namespace OSTINATO_ISA
}  // namespace ostinato
