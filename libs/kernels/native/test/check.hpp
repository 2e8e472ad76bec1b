// Checks that say what went wrong, and random numbers that are the same everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ostinato/kernels.hpp"

namespace ostinato::test {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/** Counts a failure, and prints the first ones, unless `holds`. */
void check(bool holds, const std::string& what);

/** Within `tolerance` of the largest expected magnitude (at least 1), in bfloat16 a wider one; NaN and infinity where expected. */
void checkClose(const std::string& what, const Floats& actual, const Doubles& expected, double tolerance);

/** The same bits; any NaN is any other. */
void checkSameBits(const std::string& what, const Floats& actual, const Floats& expected);

/** Of all outputs that checkEverywhere has seen: the same on every processor. */
std::uint64_t digest();
int numChecks();
int numFailures();

/** Those that this processor has, the portable one first. */
const std::vector<const KernelTable*>& tables();

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435761u + 1u) {}
  /** From −scale to scale. */
  float value(float scale = 1.0f) { return (static_cast<float>(next() >> 8) / 8388608.0f - 1.0f) * scale; }
  /** From 0 to below 1. */
  float share() { return static_cast<float>(next() >> 8) / 16777216.0f; }
  int below(int limit) { return static_cast<int>((next() >> 8) % static_cast<std::uint32_t>(limit)); }
  /** value · 2ⁿ, n from `least` to below `limit`: a function's arguments have no order, hence not ldexp. */
  float scaled(float value, int least, int limit);
  Floats values(std::size_t count, float scale = 1.0f);
  Floats shares(std::size_t count);

 private:
  std::uint32_t next() { return state_ = state_ * 1664525u + 1013904223u; }
  std::uint32_t state_;
};

/** A result of an operation; [steps,rows,columns]. */
struct Output {
  std::string name;
  int steps, rows, columns;
  Floats values;

  Output(std::string itsName, int numSteps, int numRows, int numColumns)
      : name(std::move(itsName)),
        steps(numSteps),
        rows(numRows),
        columns(numColumns),
        // Not a number until it is written.
        values(static_cast<std::size_t>(numSteps) * numRows * numColumns, __builtin_nanf("")) {}
};
using Outputs = std::vector<Output>;
using Run = std::function<Outputs(const KernelTable&)>;

/** Some rows of each step of [steps,rows,columns]. */
Floats rowsOf(const Floats& sequence, int steps, int rows, int firstRow, int numRows);

/**
 * Runs it on every instruction set with 1, 2 and 3 threads (in bfloat16 with 1 and 3, and with and without a
 * matrix unit), and checks that no bit differs.
 */
Outputs checkEverywhere(const std::string& what, const Run& run);

/** Checks that the rows from `firstRow` on of `whole` are what `part` is, which was run on them alone. */
void checkRows(const std::string& what, const Outputs& whole, const Outputs& part, int firstRow);

inline Doubles doubles(const Floats& values) { return Doubles(values.begin(), values.end()); }

/**
 * Checks gradients by central differences of `loss`: every element of `at`, which it reads, or if `at` is
 * large along a few random directions.
 */
void checkGradient(const std::string& what, const std::function<double()>& loss, Doubles& at, const Doubles& gradient,
                   double tolerance);

}  // namespace ostinato::test
