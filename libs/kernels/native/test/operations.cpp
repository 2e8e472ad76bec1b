#include "operations.hpp"

namespace ostinato::test {

std::string shapeText(std::initializer_list<int> sizes) {
  std::string text;
  for (int size : sizes) text += (text.empty() ? "[" : ",") + std::to_string(size);
  return text + "]";
}

const std::vector<SequenceShape>& sequenceShapes() {
  static const std::vector<SequenceShape> shapes{{3, 2, 5},  {1, 1, 16}, {2, 3, 40}, {4, 1, 33}, {2, 13, 1},
                                                 {0, 2, 7},  {2, 0, 7},  {17, 2, 3}, {2, 2, 64}, {3, 14, 20}};
  return shapes;
}

double weightedSum(const Doubles& a, const Doubles& b, std::size_t firstOfA) {
  double sum = 0.0;
  for (std::size_t i = 0; i < b.size(); i++) sum += a[firstOfA + i] * b[i];
  return sum;
}

Doubles kernelGradient64(const Floats& rows, int inputs, const Floats& gradient, int gradientColumns, int firstColumn,
                         int columns) {
  Doubles sums(static_cast<std::size_t>(inputs * columns), 0.0);
  const std::size_t positions = gradient.size() / static_cast<std::size_t>(gradientColumns);
  for (std::size_t n = 0; n < positions; n++) {
    const float* row = rows.data() + n * static_cast<std::size_t>(inputs);
    const float* from = gradient.data() + n * static_cast<std::size_t>(gradientColumns) + firstColumn;
    for (int i = 0; i < inputs; i++) {
      for (int o = 0; o < columns; o++) {
        sums[static_cast<std::size_t>(i * columns + o)] += static_cast<double>(row[i]) * static_cast<double>(from[o]);
      }
    }
  }
  return sums;
}

void checkEnds(const std::string& what, const std::function<bool(const OnTimeSteps&)>& call) {
  int reports = 0;
  const bool isDone = call([&](int steps) {
    reports++;
    check(steps == kTimeStepsPerReport, what + ": the first report comes after " + std::to_string(steps) + " steps");
    return false;
  });
  check(!isDone && reports == 1, what + " ends when it is told to");
  int last = 0;
  const bool isWhole = call([&](int steps) {
    last = steps;
    return true;
  });
  check(isWhole && last == 2 * kTimeStepsPerReport + 1, what + " reports its last step");
}

}  // namespace ostinato::test
