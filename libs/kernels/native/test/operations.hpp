// The tests of each group of operations, and what those of sequences have in common.
#pragma once

#include <cmath>
#include <initializer_list>

#include "check.hpp"

namespace ostinato::test {

void testLinear();
void testLstm();
void testLstmVariant();
void testGru();
void testRnn();
void testRows();
void testFlat();
void testCrc32();
void testBfloat16();

std::string shapeText(std::initializer_list<int> sizes);

struct SequenceShape {
  int steps, rows, hiddenSize;

  std::size_t state() const { return static_cast<std::size_t>(rows * hiddenSize); }
  std::size_t sequence() const { return static_cast<std::size_t>(steps) * state(); }
};

/** Sizes that are no multiple of a vector, one row, one step, no row, no step. */
const std::vector<SequenceShape>& sequenceShapes();

inline double sigmoid64(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/** Row · kernel's column, over the kernel's rows. */
inline double dot64(const double* row, const Doubles& kernel, int inner, int columns, int column) {
  double sum = 0.0;
  for (int k = 0; k < inner; k++) sum += row[k] * kernel[static_cast<std::size_t>(k * columns + column)];
  return sum;
}

/** Σ a·b. */
double weightedSum(const Doubles& a, const Doubles& b, std::size_t firstOfA = 0);

/** The gradient of a kernel [I,O]: rows [N,I]ᵀ × gradient [N,O], its columns from `firstColumn` on. */
Doubles kernelGradient64(const Floats& rows, int inputs, const Floats& gradient, int gradientColumns, int firstColumn,
                         int columns);

/** Checks that a call ends when it is told to: once, after the first report. */
void checkEnds(const std::string& what, const std::function<bool(const OnTimeSteps&)>& call);

}  // namespace ostinato::test
