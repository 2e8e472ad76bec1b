#include <cmath>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

struct LstmCase {
  SequenceShape shape;
  bool hasCellGradient;
  Floats inputGates, kernel, initialHidden, initialCell, hiddenGradient, cellGradient;

  LstmCase(const SequenceShape& ofShape, bool withCellGradient, Random& random)
      : shape(ofShape),
        hasCellGradient(withCellGradient),
        inputGates(random.values(4 * shape.sequence(), 2.0f)),
        kernel(random.values(static_cast<std::size_t>(4 * shape.hiddenSize * shape.hiddenSize), 0.5f)),
        initialHidden(random.values(shape.state())),
        initialCell(random.values(shape.state())),
        hiddenGradient(random.values(shape.sequence())),
        cellGradient(random.values(shape.sequence())) {}

  LstmCase rowsFrom(int firstRow, int numRows) const {
    LstmCase part = *this;
    part.shape.rows = numRows;
    const auto cut = [&](const Floats& whole, int steps) {
      return rowsOf(whole, steps, shape.rows, firstRow, numRows);
    };
    part.inputGates = cut(inputGates, shape.steps);
    part.initialHidden = cut(initialHidden, 1);
    part.initialCell = cut(initialCell, 1);
    part.hiddenGradient = cut(hiddenGradient, shape.steps);
    part.cellGradient = cut(cellGradient, shape.steps);
    return part;
  }

  Outputs run(const KernelTable& table, const OnTimeSteps& onForward = nullptr,
              const OnTimeSteps& onBackward = nullptr, bool* isDone = nullptr) const {
    const auto& [steps, rows, size] = shape;
    Outputs outputs{{"hidden", steps + 1, rows, size},
                    {"cell", steps + 1, rows, size},
                    {"gates", steps, rows, 4 * size},
                    {"cell activations", steps, rows, size},
                    {"gate gradients", steps, rows, 4 * size},
                    {"initial hidden gradient", 1, rows, size},
                    {"initial cell gradient", 1, rows, size}};
    const auto at = [&](std::size_t n) { return outputs[n].values.data(); };
    std::copy(initialHidden.begin(), initialHidden.end(), outputs[0].values.begin());
    std::copy(initialCell.begin(), initialCell.end(), outputs[1].values.begin());
    bool done = table.lstmForward({inputGates.data(), kernel.data(), steps, rows, size, at(0), at(1), at(2), at(3)},
                                  onForward);
    done = done && table.lstmBackward({hiddenGradient.data(), hasCellGradient ? cellGradient.data() : nullptr, at(2),
                                       at(1), at(3), kernel.data(), steps, rows, size, at(4), at(5), at(6)},
                                      onBackward);
    if (isDone != nullptr) *isDone = done;
    return outputs;
  }
};

struct LstmInputs64 {
  Doubles inputGates, kernel, initialHidden, initialCell;
};

struct Lstm64 {
  Doubles hidden, cell, gates, activations;
};

Lstm64 lstm64(const SequenceShape& shape, const LstmInputs64& in) {
  const auto& [steps, rows, size] = shape;
  Lstm64 out{in.initialHidden, in.initialCell, Doubles(4 * shape.sequence()), {}};
  for (int position = 0; position < steps * rows; position++) {
    const Doubles h(out.hidden.begin() + position * size, out.hidden.begin() + (position + 1) * size);
    const double* x = in.inputGates.data() + 4 * position * size;
    double* gates = out.gates.data() + 4 * position * size;
    for (int j = 0; j < 4 * size; j++) {
      const double z = x[j] + dot64(h.data(), in.kernel, size, 4 * size, j);
      gates[j] = j / size == 2 ? std::tanh(z) : sigmoid64(z);
    }
    for (int j = 0; j < size; j++) {
      const double before = out.cell[static_cast<std::size_t>(position * size + j)];
      const double c = gates[size + j] * before + gates[j] * gates[2 * size + j];
      out.cell.push_back(c);
      out.activations.push_back(std::tanh(c));
      out.hidden.push_back(gates[3 * size + j] * std::tanh(c));
    }
  }
  return out;
}

void testShapes() {
  Random random(8);
  for (const SequenceShape& shape : sequenceShapes()) {
    for (bool hasCellGradient : {false, true}) {
      const LstmCase of(shape, hasCellGradient, random);
      const std::string what = "LSTM " + shapeText({shape.steps, shape.rows, shape.hiddenSize}) +
                               (hasCellGradient ? " with cell gradient" : "");
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return of.run(table); });
      LstmInputs64 in{doubles(of.inputGates), doubles(of.kernel), doubles(of.initialHidden), doubles(of.initialCell)};
      const Lstm64 expected = lstm64(shape, in);
      checkClose(what + ": hidden", outputs[0].values, expected.hidden, 2e-6);
      checkClose(what + ": cell", outputs[1].values, expected.cell, 2e-6);
      checkClose(what + ": gates", outputs[2].values, expected.gates, 2e-6);
      checkClose(what + ": cell activations", outputs[3].values, expected.activations, 2e-6);
      const Doubles ofHidden = doubles(of.hiddenGradient), ofCell = doubles(of.cellGradient);
      const auto loss = [&] {
        const Lstm64 result = lstm64(shape, in);
        const double sum = weightedSum(result.hidden, ofHidden, shape.state());
        return hasCellGradient ? sum + weightedSum(result.cell, ofCell, shape.state()) : sum;
      };
      checkGradient(what + ": gate gradients", loss, in.inputGates, doubles(outputs[4].values), 1e-5);
      checkGradient(what + ": initial hidden gradient", loss, in.initialHidden, doubles(outputs[5].values), 1e-5);
      checkGradient(what + ": initial cell gradient", loss, in.initialCell, doubles(outputs[6].values), 1e-5);
      const int size = shape.hiddenSize;
      checkGradient(what + ": kernel gradient", loss, in.kernel,
                    kernelGradient64(outputs[0].values, size, outputs[4].values, 4 * size, 0, 4 * size), 1e-5);
      for (int row = 0; row < shape.rows; row += 5) {
        checkRows(what, outputs, of.rowsFrom(row, 1).run(*tables().back()), row);
      }
    }
  }
}

void testNonFinite() {
  Random random(9);
  LstmCase of({3, 3, 21}, false, random);
  const Outputs before = of.run(*tables().back());
  // Step 0: of row 1 the gate f of unit 19; of row 2 the gates i of unit 3 and o of unit 7.
  of.inputGates[84 + 21 + 19] = std::numeric_limits<float>::quiet_NaN();
  of.inputGates[168 + 3] = std::numeric_limits<float>::infinity();
  of.inputGates[168 + 63 + 7] = -std::numeric_limits<float>::infinity();
  const Outputs outputs = checkEverywhere("LSTM, not a number", [&](const KernelTable& table) { return of.run(table); });
  const Floats row = rowsOf(outputs[0].values, 4, 3, 1, 1);
  check(std::isnan(row[21 + 19]), "LSTM: a unit whose gate is NaN is NaN");
  for (std::size_t j = 42; j < row.size(); j++) check(std::isnan(row[j]), "LSTM: all units are NaN a step later");
  for (float value : rowsOf(outputs[0].values, 4, 3, 2, 1)) {
    check(std::fabs(value) <= 1.0f, "LSTM: infinite inputs saturate");
  }
  checkSameBits("LSTM: other rows than those with NaN", rowsOf(outputs[0].values, 4, 3, 0, 1),
                rowsOf(before[0].values, 4, 3, 0, 1));
}

void testEnd() {
  Random random(10);
  const LstmCase of({2 * kTimeStepsPerReport + 1, 2, 5}, false, random);
  const KernelTable& table = *tables().back();
  checkEnds("lstmForward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, on, nullptr, &isDone);
    return isDone;
  });
  checkEnds("lstmBackward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, nullptr, on, &isDone);
    return isDone;
  });
}

}  // namespace

void testLstm() {
  testShapes();
  testNonFinite();
  testEnd();
}

}  // namespace ostinato::test
