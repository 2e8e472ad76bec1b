#pragma once

#include <cstdint>
#include <cstring>

namespace ostinato {

/** ln x for a finite x above 0, to the last bits of a double, without libm; what is no number stays so. */
inline double logarithmOf(double x) {
  if (!(x > 0.0) || x > 1.7976931348623157e308) return x - x + (x > 0.0 ? x : 0.0);
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m = m / 2.0;
    exponent += 1;
  }
  // ln m = 2·artanh((m − 1) / (m + 1)), |s| ≤ 0.172: eleven terms of its series.
  const double s = (m - 1.0) / (m + 1.0), square = s * s;
  double sum = 0.0;
  for (int n = 10; n >= 0; n--) sum = sum * square + 1.0 / (2 * n + 1);
  return static_cast<double>(exponent) * 0.6931471805599453 + 2.0 * s * sum;
}

}  // namespace ostinato
