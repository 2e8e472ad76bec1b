// V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009: the
// bytes are a polynomial over GF(2), most of whose length is folded away, 64 bytes at a time, by products with
// powers of x that are the same modulo the CRC's polynomial. Bits are reflected, as in zlib.
#include "crc32.hpp"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ostinato {
namespace {

/** Without its x³²; and that with its bits reflected. */
constexpr std::uint32_t kPolynomial = 0x04c11db7, kReflected = 0xedb88320;

constexpr std::array<std::uint32_t, 256> tableOfBytes() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; byte++) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; bit++) rest = (rest >> 1) ^ ((rest & 1) != 0 ? kReflected : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = tableOfBytes();

/** The register after these bytes, before the bits of a CRC are turned over. */
std::uint32_t byBytes(const std::uint8_t* bytes, std::size_t size, std::uint32_t rest) {
  for (std::size_t i = 0; i < size; i++) rest = (rest >> 8) ^ kTable[(rest ^ bytes[i]) & 0xff];
  return rest;
}

#if defined(__x86_64__)

/** x to the power of `exponent` modulo the polynomial, reflected, and shifted for a product of reflected factors. */
constexpr std::uint64_t powerOfX(int exponent) {
  std::uint32_t power = 1;
  for (int n = 0; n < exponent; n++) power = (power << 1) ^ ((power >> 31) != 0 ? kPolynomial : 0);
  std::uint64_t reflected = 0;
  for (int bit = 0; bit < 32; bit++) reflected |= static_cast<std::uint64_t>((power >> bit) & 1) << (31 - bit);
  return reflected << 1;
}

constexpr int kVectorBits = 128, kVectorsAtOnce = 4;
constexpr std::size_t kVectorBytes = 16, kBlockBytes = kVectorsAtOnce * kVectorBytes;

// The paper's own, for this polynomial.
static_assert(powerOfX(kVectorsAtOnce * kVectorBits + 32) == 0x154442bd4);
static_assert(powerOfX(kVectorsAtOnce * kVectorBits - 32) == 0x1c6e41596);
static_assert(powerOfX(kVectorBits + 32) == 0x1751997d0 && powerOfX(kVectorBits - 32) == 0x0ccaa009e);

#define OSTINATO_CARRYLESS __attribute__((target("pclmul,sse4.1")))

OSTINATO_CARRYLESS inline __m128i load(const std::uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

/** What `before` is `distance` bits further on, and `next` there. */
template <int Distance>
OSTINATO_CARRYLESS inline __m128i fold(__m128i before, __m128i next) {
  const __m128i powers = _mm_set_epi64x(powerOfX(Distance - 32), powerOfX(Distance + 32));
  const __m128i low = _mm_clmulepi64_si128(before, powers, 0x00), high = _mm_clmulepi64_si128(before, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/** @param size one block at least */
OSTINATO_CARRYLESS std::uint32_t byFolding(const std::uint8_t* bytes, std::size_t size, std::uint32_t rest) {
  __m128i sums[kVectorsAtOnce];
  for (int n = 0; n < kVectorsAtOnce; n++) sums[n] = load(bytes + n * kVectorBytes);
  sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128(static_cast<int>(rest)));
  bytes += kBlockBytes;
  size -= kBlockBytes;
  for (; size >= kBlockBytes; bytes += kBlockBytes, size -= kBlockBytes) {
    for (int n = 0; n < kVectorsAtOnce; n++) {
      sums[n] = fold<kVectorsAtOnce * kVectorBits>(sums[n], load(bytes + n * kVectorBytes));
    }
  }
  __m128i sum = sums[0];
  for (int n = 1; n < kVectorsAtOnce; n++) sum = fold<kVectorBits>(sum, sums[n]);
  for (; size >= kVectorBytes; bytes += kVectorBytes, size -= kVectorBytes) sum = fold<kVectorBits>(sum, load(bytes));
  // What is left is as long as a vector and has the same remainder; the register is within it.
  alignas(kVectorBytes) std::uint8_t folded[kVectorBytes];
  _mm_store_si128(reinterpret_cast<__m128i*>(folded), sum);
  return byBytes(bytes, size, byBytes(folded, kVectorBytes, 0));
}

#endif

}  // namespace

bool hasFastCrc32() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#else
  return false;
#endif
}

std::uint32_t crc32(const std::uint8_t* bytes, std::size_t size, std::uint32_t value) {
#if defined(__x86_64__)
  static const bool isFast = hasFastCrc32();
  if (isFast && size >= kBlockBytes) return ~byFolding(bytes, size, ~value);
#endif
  return ~byBytes(bytes, size, ~value);
}

}  // namespace ostinato
