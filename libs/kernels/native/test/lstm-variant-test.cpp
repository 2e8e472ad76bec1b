#include <cmath>

#include "operations.hpp"

namespace ostinato::test {
namespace {

constexpr float kEpsilon = 1e-2f;

struct Variant {
  /** 0: no projection. */
  int projectedSize;
  bool coupled, peeps, normalizes, keeps, hasCellGradient;
};

struct VariantInputs64 {
  Doubles inputGates, kernel, projection, hidden, cell, peephole, recurrentGain, cellGain, cellBias, keepHidden,
      keepCell;
};

struct VariantCase {
  SequenceShape shape;
  Variant variant;
  int stateSize, numGates;
  Floats inputGates, kernel, projection, hidden, cell, peephole, recurrentGain, cellGain, cellBias, keepHidden,
      keepCell, hiddenGradient, cellGradient;

  VariantCase(const SequenceShape& ofShape, const Variant& ofVariant, Random& random)
      : shape(ofShape),
        variant(ofVariant),
        stateSize(variant.projectedSize == 0 ? shape.hiddenSize : variant.projectedSize),
        numGates(variant.coupled ? 3 : 4) {
    const std::size_t size = static_cast<std::size_t>(shape.hiddenSize), state = static_cast<std::size_t>(stateSize);
    const std::size_t gates = static_cast<std::size_t>(numGates), rows = static_cast<std::size_t>(shape.rows);
    const std::size_t positions = rows * static_cast<std::size_t>(shape.steps);
    inputGates = random.values(positions * gates * size, 2.0f);
    kernel = random.values(state * gates * size, 0.5f);
    projection = random.values(size * state, 0.5f);
    hidden = random.values(rows * state);
    cell = random.values(rows * size);
    peephole = random.values(3 * size);
    recurrentGain = random.values(gates * size);
    cellGain = random.values(size);
    cellBias = random.values(size);
    keepHidden = random.shares(positions * state);
    keepCell = random.shares(positions * size);
    hiddenGradient = random.values(positions * state);
    cellGradient = random.values(positions * size);
  }

  VariantCase rowsFrom(int firstRow, int numRows) const {
    VariantCase part = *this;
    part.shape.rows = numRows;
    for (Floats VariantCase::*each : {&VariantCase::inputGates, &VariantCase::keepHidden, &VariantCase::keepCell,
                                      &VariantCase::hiddenGradient, &VariantCase::cellGradient}) {
      part.*each = rowsOf(this->*each, shape.steps, shape.rows, firstRow, numRows);
    }
    part.hidden = rowsOf(hidden, 1, shape.rows, firstRow, numRows);
    part.cell = rowsOf(cell, 1, shape.rows, firstRow, numRows);
    return part;
  }

  VariantInputs64 inputs64() const {
    return {doubles(inputGates),    doubles(kernel),   doubles(projection), doubles(hidden),
            doubles(cell),          doubles(peephole), doubles(recurrentGain), doubles(cellGain),
            doubles(cellBias),      doubles(keepHidden), doubles(keepCell)};
  }

  LstmVariantOptions options() const {
    const bool normalizes = variant.normalizes;
    return {shape.steps,
            shape.rows,
            shape.hiddenSize,
            stateSize,
            variant.coupled,
            variant.peeps ? peephole.data() : nullptr,
            normalizes ? recurrentGain.data() : nullptr,
            normalizes ? cellGain.data() : nullptr,
            normalizes ? cellBias.data() : nullptr,
            kEpsilon,
            variant.keeps ? keepHidden.data() : nullptr,
            variant.keeps ? keepCell.data() : nullptr};
  }

  Outputs run(const KernelTable& table, const OnTimeSteps& onForward = nullptr,
              const OnTimeSteps& onBackward = nullptr, bool* isDone = nullptr) const {
    const auto& [steps, rows, size] = shape;
    const int width = numGates * size, norm = variant.normalizes ? 1 : 0, projected = variant.projectedSize > 0 ? 1 : 0;
    Outputs outputs{{"hidden", steps + 1, rows, stateSize},
                    {"cell", steps + 1, rows, size},
                    {"cell candidates", steps, rows, size},
                    {"gates", steps, rows, width},
                    {"cell activations", steps, rows, size},
                    {"projection inputs", steps, rows, size * projected},
                    {"recurrent normalized", steps, rows, width * norm},
                    {"recurrent inverse deviations", steps, rows, norm},
                    {"cell normalized", steps, rows, size * norm},
                    {"cell inverse deviations", steps, rows, norm},
                    {"gate gradients", steps, rows, width},
                    {"recurrent gradients", steps, rows, width * norm},
                    {"initial hidden gradient", 1, rows, stateSize},
                    {"initial cell gradient", 1, rows, size},
                    {"projection gradients", steps, rows, stateSize * projected},
                    {"cell norm gradients", steps, rows, size * norm}};
    const auto at = [&](std::size_t n) { return outputs[n].values.data(); };
    std::copy(hidden.begin(), hidden.end(), outputs[0].values.begin());
    std::copy(cell.begin(), cell.end(), outputs[1].values.begin());
    const float* itsProjection = projected == 1 ? projection.data() : nullptr;
    bool done = table.lstmVariantForward({options(), inputGates.data(), kernel.data(), itsProjection, at(0), at(1),
                                          at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9)},
                                         onForward);
    const float* itsCellGradient = variant.hasCellGradient ? cellGradient.data() : nullptr;
    done = done && table.lstmVariantBackward({options(), hiddenGradient.data(), itsCellGradient, kernel.data(),
                                              itsProjection, at(1), at(3), at(4), at(6), at(7), at(8), at(9), at(10),
                                              at(11), at(12), at(13), at(14), at(15)},
                                             onBackward);
    if (isDone != nullptr) *isDone = done;
    return outputs;
  }
};

Doubles normalized64(const Doubles& row) {
  const double count = static_cast<double>(row.size());
  double mean = 0.0, variance = 0.0;
  for (double x : row) mean += x / count;
  for (double x : row) variance += (x - mean) * (x - mean) / count;
  Doubles normalized;
  for (double x : row) normalized.push_back((x - mean) / std::sqrt(variance + static_cast<double>(kEpsilon)));
  return normalized;
}

struct Variant64 {
  Doubles hidden, cell, gates;
};

Variant64 variant64(const VariantCase& of, const VariantInputs64& in) {
  const auto& [steps, rows, size] = of.shape;
  const Variant& variant = of.variant;
  const int width = of.numGates * size, state = of.stateSize;
  Variant64 out{in.hidden, in.cell, {}};
  for (int position = 0; position < steps * rows; position++) {
    const Doubles h(out.hidden.begin() + position * state, out.hidden.begin() + (position + 1) * state);
    const Doubles c(out.cell.begin() + position * size, out.cell.begin() + (position + 1) * size);
    Doubles a, candidates, outputs;
    for (int j = 0; j < width; j++) a.push_back(dot64(h.data(), in.kernel, state, width, j));
    if (variant.normalizes) {
      a = normalized64(a);
      for (std::size_t j = 0; j < a.size(); j++) a[j] *= in.recurrentGain[j];
    }
    for (int j = 0; j < width; j++) a[static_cast<std::size_t>(j)] += in.inputGates[static_cast<std::size_t>(position * width + j)];
    const auto gateAt = [&](int gate, int j) -> double& { return a[static_cast<std::size_t>(gate * size + j)]; };
    const auto peep = [&](int row, int j, double seen) {
      return variant.peeps ? in.peephole[static_cast<std::size_t>(row * size + j)] * seen : 0.0;
    };
    const int gGate = variant.coupled ? 1 : 2, oGate = gGate + 1, oRow = variant.coupled ? 1 : 2;
    for (int j = 0; j < size; j++) {
      const std::size_t unit = static_cast<std::size_t>(j);
      const double i = sigmoid64(gateAt(0, j) + peep(0, j, c[unit]));
      const double f = variant.coupled ? 1.0 - i : sigmoid64(gateAt(1, j) + peep(1, j, c[unit]));
      const double g = std::tanh(gateAt(gGate, j));
      candidates.push_back(f * c[unit] + i * g);
      gateAt(0, j) = i;
      if (!variant.coupled) gateAt(1, j) = f;
      gateAt(gGate, j) = g;
      gateAt(oGate, j) = sigmoid64(gateAt(oGate, j) + peep(oRow, j, candidates[unit]));
    }
    out.gates.insert(out.gates.end(), a.begin(), a.end());
    Doubles tanhInputs = candidates;
    if (variant.normalizes) {
      tanhInputs = normalized64(candidates);
      for (std::size_t j = 0; j < tanhInputs.size(); j++) tanhInputs[j] = tanhInputs[j] * in.cellGain[j] + in.cellBias[j];
    }
    for (int j = 0; j < size; j++) outputs.push_back(gateAt(oGate, j) * std::tanh(tanhInputs[static_cast<std::size_t>(j)]));
    for (int j = 0; j < size; j++) {
      const std::size_t unit = static_cast<std::size_t>(j);
      const double k = variant.keeps ? in.keepCell[static_cast<std::size_t>(position * size + j)] : 0.0;
      out.cell.push_back(k * c[unit] + (1.0 - k) * candidates[unit]);
    }
    for (int j = 0; j < state; j++) {
      const std::size_t unit = static_cast<std::size_t>(j);
      const double k = variant.keeps ? in.keepHidden[static_cast<std::size_t>(position * state + j)] : 0.0;
      const double output = variant.projectedSize > 0 ? dot64(outputs.data(), in.projection, size, state, j) : outputs[unit];
      out.hidden.push_back(k * h[unit] + (1.0 - k) * output);
    }
  }
  return out;
}

/** Column sums of a∘b, a at one column block of rows `aWidth` wide. */
Doubles columnSums(const Floats& a, int aWidth, int firstColumn, const Floats& b, int columns) {
  Doubles sums(static_cast<std::size_t>(columns), 0.0);
  const std::size_t positions = a.size() / static_cast<std::size_t>(aWidth);
  for (std::size_t n = 0; n < positions; n++) {
    for (std::size_t j = 0; j < sums.size(); j++) {
      const double factor = b.empty() ? 1.0 : static_cast<double>(b[n * sums.size() + j]);
      sums[j] += factor * static_cast<double>(a[n * static_cast<std::size_t>(aWidth) + static_cast<std::size_t>(firstColumn) + j]);
    }
  }
  return sums;
}

/** Of the weights as the contract says how their gradients come from what the kernel returns. */
void checkWeightGradients(const std::string& what, const VariantCase& of, const Outputs& outputs, VariantInputs64& in,
                          const std::function<double()>& loss) {
  const int size = of.shape.hiddenSize, width = of.numGates * size, state = of.stateSize;
  const Floats& gates = outputs[10].values;
  const Floats& recurrent = of.variant.normalizes ? outputs[11].values : gates;
  checkGradient(what + ": kernel", loss, in.kernel,
                kernelGradient64(outputs[0].values, state, recurrent, width, 0, width), 2e-5);
  if (of.variant.projectedSize > 0) {
    checkGradient(what + ": projection", loss, in.projection,
                  kernelGradient64(outputs[5].values, size, outputs[14].values, state, 0, state), 2e-5);
  }
  if (of.variant.peeps) {
    Doubles expected = columnSums(gates, width, 0, outputs[1].values, size);
    const Doubles forget = columnSums(gates, width, size, outputs[1].values, size);
    const Doubles output = columnSums(gates, width, width - size, outputs[2].values, size);
    if (!of.variant.coupled) expected.insert(expected.end(), forget.begin(), forget.end());
    expected.insert(expected.end(), output.begin(), output.end());
    in.peephole.resize(expected.size());
    checkGradient(what + ": peephole", loss, in.peephole, expected, 2e-5);
  }
  if (!of.variant.normalizes) return;
  checkGradient(what + ": recurrent gain", loss, in.recurrentGain,
                columnSums(gates, width, 0, outputs[6].values, width), 2e-5);
  checkGradient(what + ": cell gain", loss, in.cellGain,
                columnSums(outputs[15].values, size, 0, outputs[8].values, size), 2e-5);
  checkGradient(what + ": cell bias", loss, in.cellBias, columnSums(outputs[15].values, size, 0, {}, size), 2e-5);
}

void testVariants() {
  Random random(23);
  const SequenceShape shapes[] = {{3, 2, 5}, {2, 3, 37}, {0, 2, 7}, {2, 0, 7}, {2, 14, 16}};
  for (const SequenceShape& shape : shapes) {
    for (int form = 0; form < 32; form++) {
      const bool isProjected = (form & 1) != 0;
      const Variant variant{isProjected ? (shape.hiddenSize + 1) / 2 : 0, (form & 2) != 0, (form & 4) != 0,
                            (form & 8) != 0, (form & 16) != 0, form % 3 == 0};
      const VariantCase of(shape, variant, random);
      const std::string what =
          "LSTM variant " + shapeText({shape.steps, shape.rows, shape.hiddenSize}) + " form " + std::to_string(form);
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return of.run(table); });
      VariantInputs64 in = of.inputs64();
      const Variant64 expected = variant64(of, in);
      checkClose(what + ": hidden", outputs[0].values, expected.hidden, 2e-5);
      checkClose(what + ": cell", outputs[1].values, expected.cell, 2e-5);
      checkClose(what + ": gates", outputs[3].values, expected.gates, 2e-5);
      const Doubles ofHidden = doubles(of.hiddenGradient), ofCell = doubles(of.cellGradient);
      const auto loss = [&] {
        const Variant64 result = variant64(of, in);
        const double sum = weightedSum(result.hidden, ofHidden, in.hidden.size());
        return variant.hasCellGradient ? sum + weightedSum(result.cell, ofCell, in.cell.size()) : sum;
      };
      checkGradient(what + ": gate gradients", loss, in.inputGates, doubles(outputs[10].values), 2e-5);
      checkGradient(what + ": initial hidden gradient", loss, in.hidden, doubles(outputs[12].values), 2e-5);
      checkGradient(what + ": initial cell gradient", loss, in.cell, doubles(outputs[13].values), 2e-5);
      checkWeightGradients(what, of, outputs, in, loss);
      for (int row = 0; row < shape.rows; row += 5) {
        checkRows(what, outputs, of.rowsFrom(row, 1).run(*tables().back()), row);
      }
    }
  }
}

void testEnd() {
  Random random(24);
  const VariantCase of({2 * kTimeStepsPerReport + 1, 2, 5}, {3, true, true, true, true, true}, random);
  const KernelTable& table = *tables().back();
  checkEnds("lstmVariantForward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, on, nullptr, &isDone);
    return isDone;
  });
  checkEnds("lstmVariantBackward", [&](const OnTimeSteps& on) {
    bool isDone = false;
    of.run(table, nullptr, on, &isDone);
    return isDone;
  });
}

}  // namespace

void testLstmVariant() {
  testVariants();
  testEnd();
}

}  // namespace ostinato::test
