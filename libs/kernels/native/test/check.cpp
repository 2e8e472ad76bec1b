#include "check.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>

namespace ostinato::test {
namespace {

constexpr int kPrinted = 30;
constexpr std::size_t kMostDifferences = 48;
constexpr int kDirections = 8;
/** Of the largest magnitude: what rounding factors to 8 bits may change. */
constexpr double kBfloat16Tolerance = 0.04;

int checks = 0, failures = 0;
std::uint64_t hash = 14695981039346656037ull;

std::uint32_t bitsOf(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return std::isnan(value) ? 0x7fc00000u : bits;
}

void takeIntoDigest(const Floats& values) {
  for (float value : values) hash = (hash ^ bitsOf(value)) * 1099511628211ull;
}

double ofPrecision(double tolerance) {
  return productPrecision() == Precision::float32 ? tolerance : std::max(tolerance, kBfloat16Tolerance);
}

}  // namespace

void check(bool holds, const std::string& what) {
  checks++;
  if (holds) return;
  failures++;
  if (failures <= kPrinted) std::printf("FAILED %s\n", what.c_str());
}

void checkClose(const std::string& what, const Floats& actual, const Doubles& expected, double tolerance) {
  if (actual.size() != expected.size()) {
    check(false, what + ": " + std::to_string(actual.size()) + " values, expected " + std::to_string(expected.size()));
    return;
  }
  double largest = 1.0;
  for (double value : expected) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  tolerance = ofPrecision(tolerance);
  std::string wrong;
  for (std::size_t i = 0; i < actual.size() && wrong.empty(); i++) {
    const double value = static_cast<double>(actual[i]), wanted = expected[i];
    const bool isSame = std::isnan(wanted) ? std::isnan(value) : value == wanted;
    if (isSame || std::fabs(value - wanted) <= tolerance * largest) continue;
    wrong = ": [" + std::to_string(i) + "] is " + std::to_string(value) + ", expected " + std::to_string(wanted);
  }
  check(wrong.empty(), what + wrong);
}

void checkSameBits(const std::string& what, const Floats& actual, const Floats& expected) {
  std::string wrong = actual.size() == expected.size() ? "" : ": another length";
  for (std::size_t i = 0; i < expected.size() && wrong.empty(); i++) {
    if (bitsOf(actual[i]) == bitsOf(expected[i])) continue;
    char text[96];
    std::snprintf(text, sizeof text, ": [%zu] is %a, expected %a", i, static_cast<double>(actual[i]),
                  static_cast<double>(expected[i]));
    wrong = text;
  }
  check(wrong.empty(), what + wrong);
}

std::uint64_t digest() { return hash; }
int numChecks() { return checks; }
int numFailures() { return failures; }

const std::vector<const KernelTable*>& tables() {
  static const std::vector<const KernelTable*> present = [] {
    std::vector<const KernelTable*> found;
    for (InstructionSet set :
         {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
      if (kernelTable(set) != nullptr) found.push_back(kernelTable(set));
    }
    return found;
  }();
  return present;
}

float Random::scaled(float value, int least, int limit) {
  const int exponent = least + below(limit - least);
  return std::ldexp(value, exponent);
}

Floats Random::values(std::size_t count, float scale) {
  Floats values(count);
  for (float& each : values) each = value(scale);
  return values;
}

Floats Random::shares(std::size_t count) {
  Floats values(count);
  for (float& each : values) each = share();
  return values;
}

Floats rowsOf(const Floats& sequence, int steps, int rows, int firstRow, int numRows) {
  Floats part;
  if (steps == 0 || rows == 0) return part;
  const std::size_t columns = sequence.size() / static_cast<std::size_t>(steps) / static_cast<std::size_t>(rows);
  for (int t = 0; t < steps; t++) {
    const auto from = sequence.begin() + static_cast<std::ptrdiff_t>((t * rows + firstRow) * static_cast<int>(columns));
    part.insert(part.end(), from, from + static_cast<std::ptrdiff_t>(numRows * static_cast<int>(columns)));
  }
  return part;
}

Outputs checkEverywhere(const std::string& what, const Run& run) {
  setNumThreads(1);
  const std::string precision = productPrecision() == Precision::float32 ? "" : std::string(nameOf(productPrecision())) + ", ";
  const Outputs expected = run(*tables().front());
  for (const Output& output : expected) takeIntoDigest(output.values);
  const bool isFloat32 = productPrecision() == Precision::float32;
  for (const bool hasUnit : {false, true}) {
    if (hasUnit && (!hasMatrixUnit() || isFloat32)) continue;
    useMatrixUnit(hasUnit);
    for (int threads = 1; threads <= 3; threads += isFloat32 ? 1 : 2) {
      setNumThreads(threads);
      for (const KernelTable* table : tables()) {
        // It goes with the widest vectors.
        if (hasUnit && table != tables().back()) continue;
        const Outputs outputs = run(*table);
        for (std::size_t n = 0; n < outputs.size(); n++) {
          const std::string where = precision + (hasUnit ? "matrix unit, " : "") + nameOf(table->instructionSet) + ", " +
                                    std::to_string(threads) + " threads";
          checkSameBits(what + ", " + where + ": " + outputs[n].name, outputs[n].values, expected[n].values);
        }
      }
    }
  }
  useMatrixUnit(true);
  setNumThreads(1);
  return expected;
}

void checkRows(const std::string& what, const Outputs& whole, const Outputs& part, int firstRow) {
  for (std::size_t n = 0; n < whole.size(); n++) {
    const Floats rows = rowsOf(whole[n].values, whole[n].steps, whole[n].rows, firstRow, part[n].rows);
    checkSameBits(what + ", rows by themselves: " + whole[n].name, part[n].values, rows);
  }
}

void checkGradient(const std::string& what, const std::function<double()>& loss, Doubles& at, const Doubles& gradient,
                   double tolerance) {
  constexpr double kStep = 1e-5;
  tolerance = ofPrecision(tolerance);
  if (at.size() != gradient.size()) {
    check(false, what + ": another length");
    return;
  }
  const Doubles before = at;
  double largest = 1.0;
  for (double value : gradient) largest = std::max(largest, std::fabs(value));
  Random random(7);
  const bool isSmall = at.size() <= kMostDifferences;
  const std::size_t count = isSmall ? at.size() : kDirections;
  for (std::size_t n = 0; n < count; n++) {
    Doubles direction(at.size(), 0.0);
    if (isSmall) {
      direction[n] = 1.0;
    } else {
      for (double& each : direction) each = static_cast<double>(random.value());
    }
    double expected = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < at.size(); i++) {
      expected += gradient[i] * direction[i];
      norm += direction[i] * direction[i];
    }
    double difference = 0.0;
    for (double sign : {1.0, -1.0}) {
      for (std::size_t i = 0; i < at.size(); i++) at[i] = before[i] + sign * kStep * direction[i];
      difference += sign * loss() / (2.0 * kStep);
    }
    const bool isClose = std::fabs(difference - expected) <= tolerance * largest * std::sqrt(norm);
    check(isClose, what + ": difference " + std::to_string(difference) + ", gradient " + std::to_string(expected));
  }
  at = before;
}

}  // namespace ostinato::test
