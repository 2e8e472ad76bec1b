#include <cmath>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

struct GruCase {
  SequenceShape shape;
  bool resetAfter, hasBias, hasKeep;
  Floats inputGates, kernel, bias, keep, initial, hiddenGradient;

  GruCase(const SequenceShape& ofShape, bool isAfter, bool withBias, bool withKeep, Random& random)
      : shape(ofShape),
        resetAfter(isAfter),
        hasBias(withBias),
        hasKeep(withKeep),
        inputGates(random.values(3 * shape.sequence(), 2.0f)),
        kernel(random.values(static_cast<std::size_t>(3 * shape.hiddenSize * shape.hiddenSize), 0.5f)),
        bias(random.values(static_cast<std::size_t>(shape.hiddenSize))),
        keep(random.shares(shape.sequence())),
        initial(random.values(shape.state())),
        hiddenGradient(random.values(shape.sequence())) {}

  GruCase rowsFrom(int firstRow, int numRows) const {
    GruCase part = *this;
    part.shape.rows = numRows;
    const auto cut = [&](const Floats& whole, int steps) {
      return rowsOf(whole, steps, shape.rows, firstRow, numRows);
    };
    part.inputGates = cut(inputGates, shape.steps);
    part.keep = cut(keep, shape.steps);
    part.initial = cut(initial, 1);
    part.hiddenGradient = cut(hiddenGradient, shape.steps);
    return part;
  }

  Outputs run(const KernelTable& table, const OnTimeSteps& onForward = nullptr,
              const OnTimeSteps& onBackward = nullptr, bool* isDone = nullptr) const {
    const auto& [steps, rows, size] = shape;
    Outputs outputs{{"hidden", steps + 1, rows, size},
                    {"gates", steps, rows, 3 * size},
                    {"candidates", steps, rows, size},
                    {"gate gradients", steps, rows, 3 * size},
                    {"recurrent gradients", steps, rows, 3 * size},
                    {"initial hidden gradient", 1, rows, size}};
    const auto at = [&](std::size_t n) { return outputs[n].values.data(); };
    std::copy(initial.begin(), initial.end(), outputs[0].values.begin());
    const float* itsKeep = hasKeep ? keep.data() : nullptr;
    bool done = table.gruForward({inputGates.data(), kernel.data(), hasBias ? bias.data() : nullptr, itsKeep,
                                  resetAfter, steps, rows, size, at(0), at(1), at(2)},
                                 onForward);
    done = done && table.gruBackward({hiddenGradient.data(), at(1), at(2), at(0), kernel.data(), itsKeep, resetAfter,
                                      steps, rows, size, at(3), at(4), at(5)},
                                     onBackward);
    if (isDone != nullptr) *isDone = done;
    if (!resetAfter) outputs[4].values = outputs[3].values;
    return outputs;
  }
};

/** In float64: [T+1,B,H], [T,B,3H], [T,B,H]. */
struct Gru64 {
  Doubles hidden, gates, candidates;
};

struct GruInputs64 {
  Doubles inputGates, kernel, bias, keep, initial;
};

Gru64 gru64(const GruCase& of, const GruInputs64& in) {
  const auto& [steps, rows, size] = of.shape;
  Gru64 out{in.initial, Doubles(3 * of.shape.sequence()), Doubles(of.shape.sequence())};
  for (int t = 0; t < steps; t++) {
    for (int row = 0; row < rows; row++) {
      const int position = t * rows + row;
      const Doubles h(out.hidden.begin() + position * size, out.hidden.begin() + (position + 1) * size);
      const double* x = in.inputGates.data() + 3 * position * size;
      double* gates = out.gates.data() + 3 * position * size;
      double* candidates = out.candidates.data() + position * size;
      for (int j = 0; j < 2 * size; j++) gates[j] = sigmoid64(x[j] + dot64(h.data(), in.kernel, size, 3 * size, j));
      Doubles reset(h.size());
      for (int j = 0; j < size; j++) reset[static_cast<std::size_t>(j)] = gates[j] * h[static_cast<std::size_t>(j)];
      for (int j = 0; j < size; j++) {
        const std::size_t unit = static_cast<std::size_t>(j);
        const double product = dot64(of.resetAfter ? h.data() : reset.data(), in.kernel, size, 3 * size, 2 * size + j);
        candidates[j] = of.resetAfter ? product + (of.hasBias ? in.bias[unit] : 0.0) : reset[unit];
        const double n = std::tanh(x[2 * size + j] + (of.resetAfter ? gates[j] * candidates[j] : product));
        const double z = gates[size + j], k = of.hasKeep ? in.keep[static_cast<std::size_t>(position * size + j)] : 0.0;
        gates[2 * size + j] = n;
        out.hidden.push_back(k * h[unit] + (1.0 - k) * ((1.0 - z) * n + z * h[unit]));
      }
    }
  }
  return out;
}

void checkGruGradients(const std::string& what, const GruCase& of, const Outputs& outputs) {
  const auto& [steps, rows, size] = of.shape;
  GruInputs64 in{doubles(of.inputGates), doubles(of.kernel), doubles(of.bias), doubles(of.keep), doubles(of.initial)};
  const Doubles weights = doubles(of.hiddenGradient);
  const auto loss = [&] { return weightedSum(gru64(of, in).hidden, weights, of.shape.state()); };
  checkGradient(what + ": gate gradients", loss, in.inputGates, doubles(outputs[3].values), 1e-5);
  checkGradient(what + ": initial hidden gradient", loss, in.initial, doubles(outputs[5].values), 1e-5);
  // As the contract says: h_{t−1}ᵀ·recurrentGradients, or candidatesᵀ for the columns of n.
  const Floats& gradients = outputs[4].values;
  Doubles ofKernel = kernelGradient64(outputs[0].values, size, gradients, 3 * size, 0, 3 * size);
  if (!of.resetAfter) {
    const Doubles ofCandidate = kernelGradient64(outputs[2].values, size, gradients, 3 * size, 2 * size, size);
    for (int k = 0; k < size * size; k++) {
      ofKernel[static_cast<std::size_t>((k / size) * 3 * size + 2 * size + k % size)] = ofCandidate[static_cast<std::size_t>(k)];
    }
  }
  checkGradient(what + ": kernel gradient", loss, in.kernel, ofKernel, 1e-5);
  if (!of.hasBias) return;
  const Floats ones(static_cast<std::size_t>(steps * rows), 1.0f);
  checkGradient(what + ": candidate bias gradient", loss, in.bias,
                kernelGradient64(ones, 1, gradients, 3 * size, 2 * size, size), 1e-5);
}

void testShapes() {
  Random random(4);
  for (const SequenceShape& shape : sequenceShapes()) {
    for (int form = 0; form < 6; form++) {
      const bool resetAfter = form < 4, hasKeep = form % 2 == 1;
      const GruCase of(shape, resetAfter, form == 1 || form == 2, hasKeep, random);
      const std::string what =
          "GRU " + shapeText({shape.steps, shape.rows, shape.hiddenSize}) + " form " + std::to_string(form);
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return of.run(table); });
      const Gru64 expected = gru64(of, {doubles(of.inputGates), doubles(of.kernel), doubles(of.bias), doubles(of.keep),
                                        doubles(of.initial)});
      checkClose(what + ": hidden", outputs[0].values, expected.hidden, 2e-6);
      checkClose(what + ": gates", outputs[1].values, expected.gates, 2e-6);
      checkClose(what + ": candidates", outputs[2].values, expected.candidates, 2e-6);
      checkGruGradients(what, of, outputs);
      for (int row = 0; row < shape.rows; row += 5) {
        checkRows(what, outputs, of.rowsFrom(row, 1).run(*tables().back()), row);
      }
    }
  }
}

void testNonFinite() {
  for (bool resetAfter : {true, false}) {
    Random random(5);
    GruCase of({3, 3, 21}, resetAfter, false, false, random);
    const Outputs before = of.run(*tables().back());
    of.inputGates[21 * 3 + 40] = std::numeric_limits<float>::quiet_NaN();
    of.inputGates[21 * 6 + 3] = std::numeric_limits<float>::infinity();
    of.inputGates[21 * 6 + 30] = -std::numeric_limits<float>::infinity();
    const Outputs outputs = checkEverywhere("GRU, not a number", [&](const KernelTable& table) { return of.run(table); });
    const Floats row = rowsOf(outputs[0].values, 4, 3, 1, 1);
    check(std::isnan(row[21 + 19]), "GRU: a unit whose gate is NaN is NaN");
    for (std::size_t j = 42; j < row.size(); j++) check(std::isnan(row[j]), "GRU: all units are NaN a step later");
    for (float value : rowsOf(outputs[0].values, 4, 3, 2, 1)) {
      check(std::fabs(value) <= 1.0f, "GRU: infinite inputs saturate");
    }
    checkSameBits("GRU: other rows than those with NaN", rowsOf(outputs[0].values, 4, 3, 0, 1),
                  rowsOf(before[0].values, 4, 3, 0, 1));
  }
}

void testEnd() {
  Random random(6);
  const GruCase of({2 * kTimeStepsPerReport + 1, 2, 5}, true, false, false, random);
  const KernelTable& table = *tables().back();
  checkEnds("gruForward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, on, nullptr, &isDone);
    return isDone;
  });
  checkEnds("gruBackward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, nullptr, on, &isDone);
    return isDone;
  });
}

}  // namespace

void testGru() {
  testShapes();
  testNonFinite();
  testEnd();
}

}  // namespace ostinato::test
