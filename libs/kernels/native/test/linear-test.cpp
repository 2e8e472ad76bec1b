#include <cmath>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

struct ProductCase {
  int rows, inner, columns;
  bool hasBias, transposed;
  Floats left, kernel, bias;

  ProductCase(int numRows, int numInner, int numColumns, bool withBias, bool isTransposed, Random& random)
      : rows(numRows),
        inner(numInner),
        columns(numColumns),
        hasBias(withBias),
        transposed(isTransposed),
        left(random.values(static_cast<std::size_t>(numRows) * numInner)),
        kernel(random.values(static_cast<std::size_t>(numInner) * numColumns)),
        bias(random.values(static_cast<std::size_t>(numColumns))) {}

  Outputs run(const KernelTable& table) const {
    Outputs outputs{{"product", 1, rows, columns}};
    table.matMulBias({left.data(), kernel.data(), hasBias ? bias.data() : nullptr, outputs[0].values.data(), rows,
                      inner, columns, transposed});
    return outputs;
  }

  Doubles reference() const {
    Doubles product;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        double sum = hasBias ? static_cast<double>(bias[static_cast<std::size_t>(column)]) : 0.0;
        for (int k = 0; k < inner; k++) {
          const int at = transposed ? column * inner + k : k * columns + column;
          sum += static_cast<double>(left[static_cast<std::size_t>(row * inner + k)]) *
                 static_cast<double>(kernel[static_cast<std::size_t>(at)]);
        }
        product.push_back(sum);
      }
    }
    return product;
  }
};

#if defined(OSTINATO_SMALL_TILES)
/** More than one block of the left factor, of the longest inner dimension. */
constexpr int kBlocksOfRows = 14;
/** Steps of 7 rows, steps of 28 rows, and rows of one step, that fit no chunk. */
constexpr int kManySteps = 24, kLongerSteps = 8, kManyRows = 7 * 50;
#else
constexpr int kBlocksOfRows = 100;
constexpr int kManySteps = 170, kLongerSteps = 40, kManyRows = 7 * 400;
#endif

void testProducts() {
  Random random(1);
  const int shapes[][3] = {{1, 1, 1},  {3, 5, 7},    {13, 16, 32},  {25, 33, 50}, {2, 1030, 17},
                           {0, 4, 40}, {31, 40, 64}, {12, 20, 100}, {5, 0, 20},   {1, 1025, 33},
                           {kBlocksOfRows, 1030, 40}};
  for (const auto& [rows, inner, columns] : shapes) {
    for (int form = 0; form < 4; form++) {
      const ProductCase product(rows, inner, columns, form % 2 == 0, form / 2 == 0, random);
      const std::string what = "matMulBias " + shapeText({rows, inner, columns}) + " form " + std::to_string(form);
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return product.run(table); });
      checkClose(what, outputs[0].values, product.reference(), 1e-5 * std::sqrt(inner + 1.0));
      if (rows < 2) continue;
      ProductCase part = product;
      part.rows = 1;
      part.left = rowsOf(product.left, 1, rows, rows - 1, 1);
      checkRows(what, outputs, part.run(*tables().back()), rows - 1);
    }
  }
}

void testProductsOfNonFinite() {
  Random random(2);
  ProductCase product(4, 9, 37, true, false, random);
  const Outputs before = product.run(*tables().back());
  product.left[9] = std::numeric_limits<float>::quiet_NaN();
  product.left[18] = std::numeric_limits<float>::infinity();
  const Outputs outputs =
      checkEverywhere("not a number", [&](const KernelTable& table) { return product.run(table); });
  for (int column = 0; column < 37; column++) {
    const auto at = [&](int row) { return outputs[0].values[static_cast<std::size_t>(row * 37 + column)]; };
    check(std::isnan(at(1)), "matMulBias: a row with NaN is NaN");
    check(std::isinf(at(2)), "matMulBias: a row with infinity is infinite");
  }
  for (int row : {0, 3}) {
    checkSameBits("matMulBias: other rows than those with NaN", rowsOf(outputs[0].values, 1, 4, row, 1),
                  rowsOf(before[0].values, 1, 4, row, 1));
  }
}

struct GradientCase {
  int steps, rows, inputs, columns;
  std::vector<LeafRows> leaves;
  std::vector<TreeNode> nodes;
  Floats left, gradient;
  int furtherInputs = 0;
  Floats further{};

  Outputs run(const KernelTable& table) const {
    Outputs outputs;
    for (std::size_t n = 0; n < nodes.size(); n++) {
      outputs.emplace_back("kernel gradient of node " + std::to_string(n), 1, inputs + furtherInputs, columns);
      outputs.emplace_back("bias gradient of node " + std::to_string(n), 1, 1, columns);
    }
    std::vector<float*> kernels, biases;
    for (std::size_t n = 0; n < nodes.size(); n++) {
      kernels.push_back(outputs[2 * n].values.data());
      biases.push_back(outputs[2 * n + 1].values.data());
    }
    table.linearGradient({left.data(), furtherInputs == 0 ? nullptr : further.data(), gradient.data(), steps, rows, inputs,
                          furtherInputs, columns, leaves.data(), nodes.data(), static_cast<int>(nodes.size()),
                          kernels.data(), biases.data()});
    return outputs;
  }

  /** The sum over the positions of a node's leaves. */
  Doubles reference(const TreeNode& node, bool ofBias) const {
    Doubles sums(static_cast<std::size_t>((ofBias ? 1 : inputs) * columns), 0.0);
    for (int leaf = node.firstLeaf; leaf < node.firstLeaf + node.numLeaves; leaf++) {
      const LeafRows& covered = leaves[static_cast<std::size_t>(leaf)];
      for (int t = 0; t < steps; t++) {
        for (int row = covered.firstRow; row < covered.firstRow + covered.numRows; row++) {
          const int position = t * rows + row;
          for (int i = 0; i < (ofBias ? 1 : inputs); i++) {
            const double factor =
                ofBias ? 1.0 : static_cast<double>(left[static_cast<std::size_t>(position * inputs + i)]);
            for (int o = 0; o < columns; o++) {
              sums[static_cast<std::size_t>(i * columns + o)] +=
                  factor * static_cast<double>(gradient[static_cast<std::size_t>(position * columns + o)]);
            }
          }
        }
      }
    }
    return sums;
  }
};

/** Of outputs of the leaves, each run by itself. */
Floats treeSum(const KernelTable& table, const std::vector<Floats>& leaves, std::size_t first, std::size_t count) {
  if (count == 1) return leaves[first];
  Floats left = treeSum(table, leaves, first, count / 2);
  const Floats right = treeSum(table, leaves, first + count / 2, count / 2);
  table.flat.treeAdd(left.data(), right.data(), left.data(), left.size());
  return left;
}

void testGradients() {
  Random random(3);
  // The last ones have more positions, and more rows a step, than fit one chunk.
  const int shapes[][4] = {{3, 7, 5, 9},  {2, 7, 40, 33},   {1, 7, 13, 16},  {4, 7, 25, 70},  {0, 7, 6, 20},
                           {5, 7, 1, 1},  {3, 7, 14, 290},  {kManySteps, 7, 5, 9},
                           {kManySteps, 7, 300, 33},       {2, kManyRows, 3, 5}, {kLongerSteps, 28, 260, 100}};
  for (const auto& [steps, rows, inputs, columns] : shapes) {
    const std::size_t positions = static_cast<std::size_t>(steps * rows);
    const int share = rows / 7;
    const std::vector<LeafRows> leaves{{0, 2 * share}, {2 * share, share}, {3 * share, 0}, {3 * share, 4 * share}};
    GradientCase call{steps, rows, inputs, columns, leaves, {{0, 4}, {1, 1}, {2, 2}, {2, 1}},
                      random.values(positions * static_cast<std::size_t>(inputs)),
                      random.values(positions * static_cast<std::size_t>(columns))};
    const std::string what = "linearGradient " + shapeText({steps, rows, inputs, columns});
    const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) { return call.run(table); });
    for (std::size_t n = 0; n < call.nodes.size(); n++) {
      checkClose(what, outputs[2 * n].values, call.reference(call.nodes[n], false), 1e-5);
      checkClose(what, outputs[2 * n + 1].values, call.reference(call.nodes[n], true), 1e-5);
    }
    std::vector<Floats> kernels, biases;
    for (const LeafRows& leaf : call.leaves) {
      GradientCase alone = call;
      alone.rows = leaf.numRows;
      alone.leaves = {{0, leaf.numRows}};
      alone.nodes = {{0, 1}};
      alone.left = rowsOf(call.left, steps, rows, leaf.firstRow, leaf.numRows);
      alone.gradient = rowsOf(call.gradient, steps, rows, leaf.firstRow, leaf.numRows);
      const Outputs ofLeaf = alone.run(*tables().back());
      kernels.push_back(ofLeaf[0].values);
      biases.push_back(ofLeaf[1].values);
    }
    const KernelTable& table = *tables().back();
    checkSameBits(what + ": sum of leaves' kernels", outputs[0].values, treeSum(table, kernels, 0, 4));
    checkSameBits(what + ": sum of leaves' biases", outputs[1].values, treeSum(table, biases, 0, 4));
    // Of the long ones, which take most of the time, the one that begins and ends within a tile.
    const std::vector<int> widths = positions > 100 ? std::vector<int>{29} : std::vector<int>{1, 12, 29};
    for (int furtherInputs : widths) {
      GradientCase joint = call, below = call;
      joint.furtherInputs = below.inputs = furtherInputs;
      joint.further = below.left = random.values(positions * static_cast<std::size_t>(furtherInputs));
      const std::string name = what + " and " + std::to_string(furtherInputs) + " further inputs";
      const Outputs found = checkEverywhere(name, [&](const KernelTable& of) { return joint.run(of); });
      const Outputs other = below.run(table);
      for (std::size_t n = 0; n < found.size(); n += 2) {
        Floats expected = outputs[n].values;
        expected.insert(expected.end(), other[n].values.begin(), other[n].values.end());
        checkSameBits(name, found[n].values, expected);
        checkSameBits(name + ", biases", found[n + 1].values, outputs[n + 1].values);
      }
    }
  }
}

}  // namespace

void testLinear() {
  testProducts();
  testProductsOfNonFinite();
  testGradients();
}

}  // namespace ostinato::test
