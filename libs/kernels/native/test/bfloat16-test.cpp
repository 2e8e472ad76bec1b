// The order of bfloat16 products, element by element, as Intel describes TDPBF16PS.
#include <cmath>
#include <cstring>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

/** To nearest, ties to even, by way of the two neighbours. */
float roundedToBfloat16(float x) {
  if (std::isnan(x) || std::isinf(x)) return x;
  const float even = flushed(x);
  std::uint32_t bits;
  std::memcpy(&bits, &even, sizeof bits);
  const auto valueOf = [](std::uint32_t of) {
    float value;
    std::memcpy(&value, &of, sizeof value);
    return value;
  };
  const std::uint32_t lower = bits & 0xffff0000u, rest = bits & 0xffffu;
  const bool isUp = rest > 0x8000u || (rest == 0x8000u && (lower & 0x10000u) != 0);
  return valueOf(isUp ? lower + 0x10000u : lower);
}

float productElement(const Floats& left, const Floats& kernel, float start, int row, int column, int inner, int columns) {
  float sum = flushed(start);
  for (int block = 0; block < inner; block += 32) {
    float parity[2] = {0.0f, 0.0f};
    for (int k = block; k < std::min(inner, block + 32); k++) {
      const float a = roundedToBfloat16(left[static_cast<std::size_t>(row * inner + k)]);
      const float b = roundedToBfloat16(kernel[static_cast<std::size_t>(k * columns + column)]);
      parity[k % 2] = flushed(std::fma(a, b, parity[k % 2]));
    }
    sum = flushed(sum + flushed(parity[0] + parity[1]));
  }
  return sum;
}

void testOrder(int rows, int inner, int columns, int leastExponent, int mostExponent, Random& random) {
  Floats left = random.values(static_cast<std::size_t>(rows * inner));
  Floats kernel = random.values(static_cast<std::size_t>(inner * columns));
  Floats bias = random.values(static_cast<std::size_t>(columns), std::ldexp(1.0f, mostExponent));
  for (Floats* values : {&left, &kernel}) {
    for (float& each : *values) each = random.scaled(each, leastExponent, mostExponent);
  }
  const std::string what = "bfloat16 order " + shapeText({rows, inner, columns}) + " from 2^" + std::to_string(leastExponent);
  const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
    Outputs made{{"product", 1, rows, columns}};
    table.matMulBias({left.data(), kernel.data(), bias.data(), made[0].values.data(), rows, inner, columns});
    return made;
  });
  Floats expected;
  for (int row = 0; row < rows; row++) {
    for (int column = 0; column < columns; column++) {
      expected.push_back(productElement(left, kernel, bias[static_cast<std::size_t>(column)], row, column, inner, columns));
    }
  }
  checkSameBits(what + ": element by element", outputs[0].values, expected);
}

/** Values whose rounding is a tie, infinite, subnormal or not a number. */
void testRounding() {
  const float infinity = std::numeric_limits<float>::infinity();
  const Floats left{1.00390625f, 1.01171875f, -1.00390625f, 3.4e38f,   -infinity,
                    1e-39f,      -1e-39f,     1.17549435e-38f, 65280.0f, std::nanf("")};
  const Floats kernel{1.0f};
  const int rows = static_cast<int>(left.size());
  const Outputs outputs = checkEverywhere("bfloat16 rounding", [&](const KernelTable& table) {
    Outputs made{{"product", 1, rows, 1}};
    table.matMulBias({left.data(), kernel.data(), nullptr, made[0].values.data(), rows, 1, 1});
    return made;
  });
  checkSameBits("bfloat16 rounding", outputs[0].values,
                {1.0f, 1.015625f, -1.0f, infinity, -infinity, 0.0f, 0.0f, 1.17549435e-38f, 65280.0f, std::nanf("")});
}

}  // namespace

void testBfloat16() {
  Random random(77);
  const int shapes[][3] = {{1, 1, 1}, {3, 31, 7}, {17, 32, 33}, {32, 65, 40}, {40, 100, 64}, {49, 300, 20}};
  for (const auto& [rows, inner, columns] : shapes) {
    testOrder(rows, inner, columns, 0, 1, random);
    testOrder(rows, inner, columns, -20, 20, random);
    // Products and sums around the least normal number, 2^-126.
    testOrder(rows, inner, columns, -66, -60, random);
  }
  testRounding();
}

}  // namespace ostinato::test
