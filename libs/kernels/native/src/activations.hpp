// exp, sigmoid and tanh of sixteen lanes: our own polynomials, no libm, so that every processor gives the
// same bits. A lane that is not a number stays one.
#pragma once

#include "vec16.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** eˣ = 2ⁿ·(1 + p): n a whole number, p = 2ʳ − 1 of the rest r, |r| ≤ 1/2. */
struct SplitExp {
  Vec16 powerOfTwo;
  Vec16 rest;
};

/** For x within −87 and 88. */
OSTINATO_INLINE SplitExp splitExp(Vec16 x) {
  const Vec16 log2e = broadcast(1.44269504f);
  // Adding 1.5·2²³ leaves the whole number in the lowest bits; 127 is the exponent's bias.
  const Vec16 magic = broadcast(12582912.0f + 127.0f);
  const Vec16 shifted = fma(x, log2e, magic);
  const Vec16 r = fma(x, log2e, sub(magic, shifted));
  // (2ʳ − 1) / r, minimax with an error of 1.1e-8 of its value at 0 (tools/activation-polynomial.py).
  Vec16 q = fma(r, broadcast(0.000154697352055f), broadcast(0.00133908668472f));
  q = fma(r, q, broadcast(0.00961803077052f));
  q = fma(r, q, broadcast(0.0555035710552f));
  q = fma(r, q, broadcast(0.240226510842f));
  q = fma(r, q, broadcast(0.693147188029f));
  return {powerOfTwoFromMagic(shifted), mul(r, q)};
}

/** Keeps x between two bounds; not a number stays so. */
OSTINATO_INLINE Vec16 clamped(Vec16 x, float least, float greatest) {
  return smaller(broadcast(greatest), larger(broadcast(least), x));
}

/** eˣ for x up to 88; below −87 it stays at e⁻⁸⁷, 1.6e-38. */
OSTINATO_INLINE Vec16 expOf(Vec16 x) {
  const SplitExp e = splitExp(clamped(x, -87.0f, 88.0f));
  return fma(e.powerOfTwo, e.rest, e.powerOfTwo);
}

/** A quotient that is not divided yet: two of them share one division, which is slow. */
struct Fraction {
  Vec16 numerator;
  Vec16 denominator;
};

/** 1 / (1 + e⁻ˣ); below −43 it stays at 2e-19, so that a product of two denominators is finite. */
OSTINATO_INLINE Fraction sigmoidFraction(Vec16 x) {
  const Vec16 one = broadcast(1.0f);
  const SplitExp e = splitExp(clamped(sub(zero(), x), -43.0f, 43.0f));
  return {one, add(one, fma(e.powerOfTwo, e.rest, e.powerOfTwo))};
}

/** −y / (2 + y) with y = e⁻²ˣ − 1, which is exact enough near 0 as well. */
OSTINATO_INLINE Fraction tanhFraction(Vec16 x) {
  const SplitExp e = splitExp(clamped(mul(broadcast(-2.0f), x), -20.0f, 20.0f));
  const Vec16 y = fma(e.powerOfTwo, e.rest, sub(e.powerOfTwo, broadcast(1.0f)));
  return {sub(zero(), y), add(broadcast(2.0f), y)};
}

OSTINATO_INLINE Vec16 quotientOf(const Fraction& a) { return div(a.numerator, a.denominator); }

struct TwoVectors {
  Vec16 first, second;
};

OSTINATO_INLINE TwoVectors quotientsOf(const Fraction& a, const Fraction& b) {
  const Vec16 inverse = div(broadcast(1.0f), mul(a.denominator, b.denominator));
  return {mul(a.numerator, mul(b.denominator, inverse)), mul(b.numerator, mul(a.denominator, inverse))};
}

OSTINATO_INLINE Vec16 sigmoidOf(Vec16 x) { return quotientOf(sigmoidFraction(x)); }
OSTINATO_INLINE Vec16 tanhOf(Vec16 x) { return quotientOf(tanhFraction(x)); }

}  // namespace OSTINATO_ISA
}  // namespace ostinato
