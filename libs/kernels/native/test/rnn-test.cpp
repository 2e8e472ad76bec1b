#include <cmath>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

struct RnnCase {
  SequenceShape shape;
  RnnActivation activation;
  bool hasKeep;
  Floats inputGates, kernel, keep, initial, hiddenGradient;

  RnnCase(const SequenceShape& ofShape, RnnActivation itsActivation, bool withKeep, Random& random)
      : shape(ofShape),
        activation(itsActivation),
        hasKeep(withKeep),
        inputGates(random.values(shape.sequence(), 2.0f)),
        kernel(random.values(static_cast<std::size_t>(shape.hiddenSize * shape.hiddenSize), 0.3f)),
        keep(random.shares(shape.sequence())),
        initial(random.values(shape.state())),
        hiddenGradient(random.values(shape.sequence())) {}

  RnnCase rowsFrom(int firstRow, int numRows) const {
    RnnCase part = *this;
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
                    {"activations", steps, rows, size},
                    {"gate gradients", steps, rows, size},
                    {"initial hidden gradient", 1, rows, size}};
    const auto at = [&](std::size_t n) { return outputs[n].values.data(); };
    std::copy(initial.begin(), initial.end(), outputs[0].values.begin());
    const float* itsKeep = hasKeep ? keep.data() : nullptr;
    bool done = table.rnnForward(
        {inputGates.data(), kernel.data(), itsKeep, activation, steps, rows, size, at(0), at(1)}, onForward);
    done = done && table.rnnBackward({hiddenGradient.data(), at(1), kernel.data(), itsKeep, activation, steps, rows,
                                      size, at(2), at(3)},
                                     onBackward);
    if (isDone != nullptr) *isDone = done;
    return outputs;
  }
};

struct RnnInputs64 {
  Doubles inputGates, kernel, keep, initial;
};

struct Rnn64 {
  Doubles hidden, activations;
};

Rnn64 rnn64(const RnnCase& of, const RnnInputs64& in) {
  const auto& [steps, rows, size] = of.shape;
  Rnn64 out{in.initial, {}};
  for (int position = 0; position < steps * rows; position++) {
    const Doubles h(out.hidden.begin() + position * size, out.hidden.begin() + (position + 1) * size);
    for (int j = 0; j < size; j++) {
      const std::size_t at = static_cast<std::size_t>(position * size + j);
      const double x = in.inputGates[at] + dot64(h.data(), in.kernel, size, size, j);
      const double a = of.activation == RnnActivation::tanh ? std::tanh(x) : std::fmax(x, 0.0);
      const double k = of.hasKeep ? in.keep[at] : 0.0;
      out.activations.push_back(a);
      out.hidden.push_back(k * h[static_cast<std::size_t>(j)] + (1.0 - k) * a);
    }
  }
  return out;
}

void testShapes() {
  Random random(11);
  for (const SequenceShape& shape : sequenceShapes()) {
    for (int form = 0; form < 4; form++) {
      const RnnCase of(shape, form < 2 ? RnnActivation::tanh : RnnActivation::relu, form % 2 == 1, random);
      const std::string what =
          "RNN " + shapeText({shape.steps, shape.rows, shape.hiddenSize}) + " form " + std::to_string(form);
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return of.run(table); });
      RnnInputs64 in{doubles(of.inputGates), doubles(of.kernel), doubles(of.keep), doubles(of.initial)};
      const Rnn64 expected = rnn64(of, in);
      checkClose(what + ": hidden", outputs[0].values, expected.hidden, 2e-6);
      checkClose(what + ": activations", outputs[1].values, expected.activations, 2e-6);
      const Doubles weights = doubles(of.hiddenGradient);
      const auto loss = [&] { return weightedSum(rnn64(of, in).hidden, weights, shape.state()); };
      checkGradient(what + ": gate gradients", loss, in.inputGates, doubles(outputs[2].values), 1e-5);
      checkGradient(what + ": initial hidden gradient", loss, in.initial, doubles(outputs[3].values), 1e-5);
      const int size = shape.hiddenSize;
      checkGradient(what + ": kernel gradient", loss, in.kernel,
                    kernelGradient64(outputs[0].values, size, outputs[2].values, size, 0, size), 1e-5);
      for (int row = 0; row < shape.rows; row += 5) {
        checkRows(what, outputs, of.rowsFrom(row, 1).run(*tables().back()), row);
      }
      if (of.hasKeep) continue;
      // Without `keep` the activations need no array of their own.
      Floats hidden = outputs[0].values;
      std::fill(hidden.begin() + static_cast<std::ptrdiff_t>(shape.state()), hidden.end(), 0.0f);
      tables().back()->rnnForward({of.inputGates.data(), of.kernel.data(), nullptr, of.activation, shape.steps,
                                   shape.rows, size, hidden.data(), nullptr},
                                  nullptr);
      checkSameBits(what + " without activations", hidden, outputs[0].values);
    }
  }
}

/** A layer of one step without recurrence: the activation itself and its slope. */
void testActivations() {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  Random random(12);
  RnnCase of({1, 1, 500}, RnnActivation::tanh, false, random);
  std::fill(of.kernel.begin(), of.kernel.end(), 0.0f);
  for (std::size_t i = 0; i < of.inputGates.size(); i++) {
    const float magnitude = random.scaled(1.0f + random.share(), -34, 6);
    of.inputGates[i] = i % 2 == 0 ? magnitude : -magnitude;
  }
  const float special[] = {0.0f, -0.0f, infinity, -infinity, nan, 1e-45f, -1e-45f, 3e38f, -3e38f, 88.0f, -88.0f};
  std::copy(std::begin(special), std::end(special), of.inputGates.begin());
  const Outputs ofTanh = checkEverywhere("tanh", [&](const KernelTable& table) { return of.run(table); });
  for (std::size_t i = 0; i < of.inputGates.size(); i++) {
    const double expected = std::tanh(static_cast<double>(of.inputGates[i]));
    const double value = static_cast<double>(ofTanh[1].values[i]);
    const bool isClose = std::isnan(expected) ? std::isnan(value)
                                              : std::fabs(value - expected) <= 3e-7 * std::fabs(expected) + 1e-37;
    check(isClose, "tanh(" + std::to_string(of.inputGates[i]) + ") is " + std::to_string(value));
  }
  of.activation = RnnActivation::relu;
  const Outputs ofRelu = checkEverywhere("relu", [&](const KernelTable& table) { return of.run(table); });
  for (std::size_t i = 0; i < of.inputGates.size(); i++) {
    const float x = of.inputGates[i], value = ofRelu[1].values[i], gradient = ofRelu[2].values[i];
    const std::string what = "relu(" + std::to_string(x) + ")";
    if (std::isnan(x)) {
      check(std::isnan(value) && std::isnan(gradient), what + " and its gradient are NaN");
    } else if (productPrecision() == Precision::float32 || std::fpclassify(x) != FP_SUBNORMAL) {
      check(value == (x > 0.0f ? x : 0.0f), what + " is " + std::to_string(value));
      check(gradient == (x > 0.0f ? of.hiddenGradient[i] : 0.0f), what + " has gradient " + std::to_string(gradient));
    }
  }
}

void testEnd() {
  Random random(13);
  const RnnCase of({2 * kTimeStepsPerReport + 1, 2, 5}, RnnActivation::tanh, false, random);
  const KernelTable& table = *tables().back();
  checkEnds("rnnForward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, on, nullptr, &isDone);
    return isDone;
  });
  checkEnds("rnnBackward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, nullptr, on, &isDone);
    return isDone;
  });
}

}  // namespace

void testRnn() {
  testShapes();
  testActivations();
  testEnd();
}

}  // namespace ostinato::test
