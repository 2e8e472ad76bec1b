#include <cmath>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

constexpr float kEpsilon = 1e-3f;

struct LayerNormCase {
  int rows, columns;
  bool hasGain, hasBias;
  Floats values, gain, bias, gradient;

  Outputs run(const KernelTable& table) const {
    Outputs outputs{{"outputs", 1, rows, columns},
                    {"normalized", 1, rows, columns},
                    {"inverse deviations", 1, rows, 1},
                    {"row gradient", 1, rows, columns}};
    const auto at = [&](std::size_t n) { return outputs[n].values.data(); };
    const float* itsGain = hasGain ? gain.data() : nullptr;
    table.layerNorm({values.data(), itsGain, hasBias ? bias.data() : nullptr, rows, columns, kEpsilon, at(0), at(1),
                     at(2)});
    table.layerNormGradient({gradient.data(), at(1), at(2), itsGain, rows, columns, at(3)});
    return outputs;
  }
};

/** [outputs, normalized, inverse deviations] */
std::vector<Doubles> layerNorm64(const LayerNormCase& of, const Doubles& values) {
  std::vector<Doubles> out(3);
  for (int row = 0; row < of.rows; row++) {
    const double* x = values.data() + row * of.columns;
    double mean = 0.0, variance = 0.0;
    for (int j = 0; j < of.columns; j++) mean += x[j] / of.columns;
    for (int j = 0; j < of.columns; j++) variance += (x[j] - mean) * (x[j] - mean) / of.columns;
    const double inverse = 1.0 / std::sqrt(variance + static_cast<double>(kEpsilon));
    out[2].push_back(inverse);
    for (int j = 0; j < of.columns; j++) {
      const std::size_t column = static_cast<std::size_t>(j);
      const double gain = of.hasGain ? static_cast<double>(of.gain[column]) : 1.0;
      const double bias = of.hasBias ? static_cast<double>(of.bias[column]) : 0.0;
      out[1].push_back((x[j] - mean) * inverse);
      out[0].push_back(gain * out[1].back() + bias);
    }
  }
  return out;
}

void testLayerNorm() {
  Random random(14);
  const int shapes[][2] = {{3, 5}, {1, 16}, {2, 40}, {0, 9}, {700, 33}, {4, 1}};
  for (const auto& [rows, columns] : shapes) {
    for (int form = 0; form < 3; form++) {
      const std::size_t size = static_cast<std::size_t>(rows * columns), width = static_cast<std::size_t>(columns);
      const LayerNormCase of{rows, columns, form > 0, form > 1, random.values(size, 3.0f), random.values(width),
                             random.values(width), random.values(size)};
      const std::string what = "layerNorm " + shapeText({rows, columns}) + " form " + std::to_string(form);
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return of.run(table); });
      Doubles values = doubles(of.values);
      const std::vector<Doubles> expected = layerNorm64(of, values);
      for (std::size_t n = 0; n < 3; n++) checkClose(what + ": " + outputs[n].name, outputs[n].values, expected[n], 1e-5);
      const Doubles weights = doubles(of.gradient);
      const auto loss = [&] { return weightedSum(layerNorm64(of, values)[0], weights); };
      checkGradient(what + ": row gradient", loss, values, doubles(outputs[3].values), 1e-5);
      if (rows < 2) continue;
      LayerNormCase part = of;
      part.rows = 1;
      part.values = rowsOf(of.values, 1, rows, 1, 1);
      part.gradient = rowsOf(of.gradient, 1, rows, 1, 1);
      checkRows(what, outputs, part.run(*tables().back()), 1);
    }
  }
}

void testLayerNormOfNonFinite() {
  Random random(15);
  LayerNormCase of{3, 20, false, false, random.values(60), {}, {}, random.values(60)};
  const Outputs before = of.run(*tables().back());
  of.values[3] = std::numeric_limits<float>::quiet_NaN();
  of.values[25] = std::numeric_limits<float>::infinity();
  const Outputs outputs =
      checkEverywhere("layerNorm, not a number", [&](const KernelTable& table) { return of.run(table); });
  for (std::size_t i = 0; i < 40; i++) check(std::isnan(outputs[1].values[i]), "layerNorm: a row with NaN is NaN");
  checkSameBits("layerNorm: other rows than those with NaN", rowsOf(outputs[0].values, 1, 3, 2, 1),
                rowsOf(before[0].values, 1, 3, 2, 1));
}

void testEmbeddings() {
  Random random(16);
  const int shapes[][3] = {{9, 5, 7}, {1, 16, 1}, {50, 33, 3}, {0, 4, 2}, {6, 20, 40}};
  for (const auto& [positions, size, vocabulary] : shapes) {
    std::vector<std::int32_t> ids;
    for (int n = 0; n < positions; n++) ids.push_back(random.below(vocabulary));
    const Floats weights = random.values(static_cast<std::size_t>(vocabulary * size));
    const Floats gradient = random.values(static_cast<std::size_t>(positions * size));
    Floats gathered;
    // In float32: one addition after the other, in the order of positions.
    Floats sums(weights.size(), 0.0f);
    for (int n = 0; n < positions; n++) {
      for (int j = 0; j < size; j++) {
        const std::size_t at = static_cast<std::size_t>(ids[static_cast<std::size_t>(n)] * size + j);
        gathered.push_back(weights[at]);
        sums[at] = sums[at] + gradient[static_cast<std::size_t>(n * size + j)];
      }
    }
    const std::string what = "embedding " + shapeText({positions, size, vocabulary});
    const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
      Outputs found{{"rows", 1, positions, size}, {"table gradient", 1, vocabulary, size}};
      table.embeddingGather({weights.data(), ids.data(), positions, size, found[0].values.data()});
      const LeafRows leaf{0, positions};
      const TreeNode root{0, 1};
      float* sum = found[1].values.data();
      table.embeddingGradient({ids.data(), gradient.data(), 1, positions, size, vocabulary, &leaf, &root, 1, &sum});
      return found;
    });
    checkSameBits(what + ": rows", outputs[0].values, gathered);
    checkSameBits(what + ": table gradient", outputs[1].values, sums);
  }
}

void testSequenceRows() {
  Random random(17);
  const int steps = 5, rows = 4, columns = 7;
  const Floats sequence = random.values(steps * rows * columns);
  const int blocks[][4] = {{0, 5, 0, 4}, {1, 3, 2, 1}, {4, 1, 0, 2}, {2, 0, 1, 1}, {2, 2, 1, 0}};
  for (const auto& [firstStep, numSteps, firstRow, numRows] : blocks) {
    const Floats fromStep(sequence.begin() + firstStep * rows * columns,
                          sequence.begin() + (firstStep + numSteps) * rows * columns);
    const std::string what = "sequenceRows " + shapeText({firstStep, numSteps, firstRow, numRows});
    const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
      Outputs found{{"rows", numSteps, numRows, columns}};
      table.sequenceRows({sequence.data(), rows, columns, firstStep, numSteps, firstRow, numRows,
                          found[0].values.data()});
      return found;
    });
    checkSameBits(what, outputs[0].values, rowsOf(fromStep, numSteps, rows, firstRow, numRows));
  }
}

/** Of two nodes, of four leaves and of one: the sum of leaves' own tables, worked out in float32. */
void testEmbeddingNodes() {
  Random random(18);
  const int steps = 3, rows = 9, size = 5, vocabulary = 6;
  const LeafRows leaves[] = {{0, 2}, {2, 1}, {3, 0}, {3, 4}, {7, 2}};
  const TreeNode nodes[] = {{0, 4}, {4, 1}};
  std::vector<std::int32_t> ids;
  for (int n = 0; n < steps * rows; n++) ids.push_back(random.below(vocabulary - 1));
  const Floats gradient = random.values(steps * rows * size);
  std::vector<Floats> ofLeaves;
  for (const LeafRows& leaf : leaves) {
    Floats sums(vocabulary * size, 0.0f);
    for (int t = 0; t < steps; t++) {
      for (int row = leaf.firstRow; row < leaf.firstRow + leaf.numRows; row++) {
        const int position = t * rows + row;
        for (int j = 0; j < size; j++) {
          float& sum = sums[static_cast<std::size_t>(ids[static_cast<std::size_t>(position)] * size + j)];
          sum = sum + gradient[static_cast<std::size_t>(position * size + j)];
        }
      }
    }
    ofLeaves.push_back(sums);
  }
  Floats expected;
  for (std::size_t k = 0; k < ofLeaves[0].size(); k++) {
    expected.push_back((ofLeaves[0][k] + ofLeaves[1][k]) + (ofLeaves[2][k] + ofLeaves[3][k]));
  }
  const Outputs outputs = checkEverywhere("embedding nodes", [&](const KernelTable& table) {
    Outputs found{{"four leaves", 1, vocabulary, size}, {"one leaf", 1, vocabulary, size}};
    float* sums[] = {found[0].values.data(), found[1].values.data()};
    table.embeddingGradient({ids.data(), gradient.data(), steps, rows, size, vocabulary, leaves, nodes, 2, sums});
    return found;
  });
  checkSameBits("embedding nodes: four leaves", outputs[0].values, expected);
  checkSameBits("embedding nodes: one leaf", outputs[1].values, ofLeaves[4]);
}

void testTranspose() {
  Random random(19);
  const int shapes[][2] = {{1, 1}, {16, 16}, {17, 33}, {3, 50}, {40, 1}, {0, 5}, {5, 0}};
  for (const auto& [rows, columns] : shapes) {
    const Floats matrix = random.values(static_cast<std::size_t>(rows * columns));
    Floats expected;
    for (int k = 0; k < columns; k++) {
      for (int row = 0; row < rows; row++) expected.push_back(matrix[static_cast<std::size_t>(row * columns + k)]);
    }
    const std::string what = "transpose " + shapeText({rows, columns});
    const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
      Outputs found{{"transposed", 1, columns, rows}};
      table.transpose({matrix.data(), rows, columns, found[0].values.data()});
      return found;
    });
    checkSameBits(what, outputs[0].values, expected);
  }
}

}  // namespace

void testRows() {
  testLayerNorm();
  testLayerNormOfNonFinite();
  testEmbeddings();
  testEmbeddingNodes();
  testSequenceRows();
  testTranspose();
}

}  // namespace ostinato::test
