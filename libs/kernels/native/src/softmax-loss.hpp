// Linear layer + softmax + cross-entropy. The logits of a block of rows are held panel by panel,
// [panels][rows][32]: as a product leaves them, and as the products with their gradient read them.
#pragma once

#include <deque>
#include <limits>
#include <vector>

#include "activations.hpp"
#include "bfloat16/gradient-tiles.hpp"
#include "float-tiles.hpp"
#include "logarithm.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Logits of a block: 32 MiB. The kernel is packed, and its gradient written, once a block. */
constexpr int kLogitsOfBlock = 1 << 23;

inline int rowsOfBlock(int vocabularySize) {
  return std::max(kTileRows, kLogitsOfBlock / (panelsOf(vocabularySize) * kPanelColumns));
}

/** Inner indices whose part of all panels, and of the rows, stays in the second cache, about. */
constexpr int kHiddenInner = 512;

/** The weights of the layer, and what its rows are compared with, in the rows' order. */
struct LossLayer {
  const float* kernel;
  const float* bias;
  int hiddenSize, vocabularySize;
  float labelSmoothing;
};

struct LossRows {
  int count;
  /** [count,H] */
  const float* hidden;
  const std::int32_t* targets;
  const float* weights;
  float* losses;
};

struct Logits {
  float* values;
  int rows, panels, columns;
  float* at(int panel, int row) const {
    return values + (static_cast<std::size_t>(panel) * rows + static_cast<std::size_t>(row)) * kPanelColumns;
  }
  float* of(int row, int column) const {
    return at(column / kPanelColumns, row) + column % kPanelColumns;
  }
};

inline Logits logitsOf(const LossLayer& layer, const LossRows& rows, Workspace& workspace) {
  const int panels = panelsOf(layer.vocabularySize);
  const std::size_t size = static_cast<std::size_t>(panels) * static_cast<std::size_t>(rows.count) * kPanelColumns;
  const Logits logits{workspace.floats(size), rows.count, panels, layer.vocabularySize};
  const std::size_t width = static_cast<std::size_t>(layer.hiddenSize);
  const LeftRows left = LeftBuffer(rows.count, layer.hiddenSize, workspace).of(rows.hidden, width, rows.count);
  const Precision precision = productPrecision();
  parallelFor(panels, [&](int n) {
    const int first = n * kPanelColumns, count = std::min(kPanelColumns, layer.vocabularySize - first);
    const RightPanels kernel(layer.hiddenSize, 1, freshWorkspace(), precision);
    kernel.pack(0, [&](float* panel) {
      packPanel(layer.kernel, static_cast<std::size_t>(layer.vocabularySize), layer.hiddenSize, first, count, panel);
    });
    // Columns that are none get a probability that adds nothing.
    float bias[kPanelColumns];
    for (int k = 0; k < kPanelColumns; k++) {
      bias[k] = k < count ? layer.bias[first + k] : -std::numeric_limits<float>::infinity();
    }
    kernel.product(0, left, rows.count, kPanelVectors, {bias, 0}, {logits.at(n, 0), kPanelColumns});
  });
  return logits;
}

/** Rows that are looked at together: neighbours in a panel. */
constexpr int kRowGroup = 16;

OSTINATO_INLINE float sumOfRow(const Logits& logits, int row) {
  Vec16 sum = zero();
  for (int panel = 0; panel < logits.panels; panel++) {
    const int count = std::min(kPanelColumns, logits.columns - panel * kPanelColumns);
    const float* p = logits.at(panel, row);
    sum = add(sum, loadFirst(p, std::min(count, kLanes)));
    if (count > kLanes) sum = add(sum, loadFirst(p + kLanes, count - kLanes));
  }
  return sumOfLanes(sum);
}

/** The losses of a group of rows; with `gradient`, the logits become the gradients of their sum. */
inline void softmaxOfGroup(const LossLayer& layer, const LossRows& rows, const Logits& logits, int first,
                           bool gradient) {
  const int count = std::min(kRowGroup, rows.count - first);
  Vec16 largest[kRowGroup], sums[kRowGroup];
  for (int row = 0; row < count; row++) {
    largest[row] = broadcast(-std::numeric_limits<float>::infinity());
    sums[row] = zero();
  }
  for (int panel = 0; panel < logits.panels; panel++) {
    for (int row = 0; row < count; row++) {
      const float* p = logits.at(panel, first + row);
      largest[row] = larger(largest[row], larger(load(p), load(p + kLanes)));
    }
  }
  float maxima[kRowGroup], ofTarget[kRowGroup], mean[kRowGroup];
  for (int row = 0; row < count; row++) {
    maxima[row] = largestLane(largest[row]);
    ofTarget[row] = *logits.of(first + row, rows.targets[first + row]);
    mean[row] = layer.labelSmoothing == 0.0f
                    ? 0.0f
                    : sumOfRow(logits, first + row) / static_cast<float>(logits.columns);
  }
  for (int panel = 0; panel < logits.panels; panel++) {
    for (int row = 0; row < count; row++) {
      float* p = logits.at(panel, first + row);
      const Vec16 maximum = broadcast(maxima[row]);
      const Vec16 low = expOf(sub(load(p), maximum)), high = expOf(sub(load(p + kLanes), maximum));
      sums[row] = add(add(sums[row], low), high);
      if (!gradient) continue;
      store(p, low);
      store(p + kLanes, high);
    }
  }
  float factors[kRowGroup];
  for (int row = 0; row < count; row++) {
    const float sum = sumOfLanes(sums[row]);
    const double smoothing = static_cast<double>(layer.labelSmoothing);
    const double target = static_cast<double>(ofTarget[row]);
    const double loss = logarithmOf(static_cast<double>(sum)) + (static_cast<double>(maxima[row]) - target) +
                        smoothing * (target - static_cast<double>(mean[row]));
    const float weight = rows.weights[first + row];
    rows.losses[first + row] = static_cast<float>(static_cast<double>(weight) * loss);
    factors[row] = weight / sum;
  }
  if (!gradient) return;
  const float share = layer.labelSmoothing / static_cast<float>(logits.columns);
  for (int panel = 0; panel < logits.panels; panel++) {
    const int columns = std::min(kPanelColumns, logits.columns - panel * kPanelColumns);
    for (int row = 0; row < count; row++) {
      float* p = logits.at(panel, first + row);
      // Columns that are none have e⁻⁸⁷, which a factor makes subnormal: products with it are many times slower.
      if (columns < kPanelColumns) copyPanelRow(p, columns, p);
      const Vec16 factor = broadcast(factors[row]), spread = broadcast(-(rows.weights[first + row] * share));
      store(p, fma(load(p), factor, spread));
      store(p + kLanes, fma(load(p + kLanes), factor, spread));
    }
  }
  for (int row = 0; row < count; row++) {
    float* p = logits.of(first + row, rows.targets[first + row]);
    *p = *p - rows.weights[first + row] * (1.0f - layer.labelSmoothing);
  }
}

inline void softmaxOf(const LossLayer& layer, const LossRows& rows, const Logits& logits, bool gradient) {
  parallelFor((rows.count + kRowGroup - 1) / kRowGroup,
              [&](int group) { softmaxOfGroup(layer, rows, logits, group * kRowGroup, gradient); });
}

inline void softmaxLoss(const SoftmaxLoss& call) {
  const LossLayer layer{call.kernel, call.bias, call.hiddenSize, call.vocabularySize, 0.0f};
  const int height = rowsOfBlock(call.vocabularySize);
  static thread_local Workspace workspace;
  for (int first = 0; first < call.numPositions; first += height) {
    workspace.reset();
    const LossRows rows{std::min(height, call.numPositions - first),
                        call.hidden + static_cast<std::size_t>(first) * call.hiddenSize, call.targets + first,
                        call.weights + first, call.losses + first};
    softmaxOf(layer, rows, logitsOf(layer, rows, workspace), false);
  }
}

/** The gradients of one node, in blocks of rows that are whole subtrees, or parts of one leaf. */
class LossGradient {
 public:
  LossGradient(const SoftmaxLossGradient& call, const RightPanels& transposedKernel)
      : call_(call),
        layer_{call.kernel, call.bias, call.hiddenSize, call.vocabularySize, call.labelSmoothing},
        transposedKernel_(transposedKernel),
        height_(rowsOfBlock(call.vocabularySize)) {}

  void ofNode(const TreeNode& node, float* kernelGradient, float* biasGradient) {
    add(node, kernelGradient, biasGradient, Into::nothing);
  }

 private:
  void add(const TreeNode& node, float* kernelGradient, float* biasGradient, Into into) {
    if (rowsOf(node) <= height_) {
      LeafPositions at(call_.leaves, node.firstLeaf, node.numLeaves, call_.numSteps, call_.numRows);
      block(at, kernelGradient, biasGradient, into);
      return;
    }
    if (into == Into::sum) {
      // A right half that is no single block: a sum of its own first.
      const std::size_t size = kernelSize(), columns = static_cast<std::size_t>(call_.vocabularySize);
      Workspace& halves = halvesAt(depth_++);
      float* kernel = halves.floats(size);
      float* bias = halves.floats(columns);
      add(node, kernel, bias, Into::nothing);
      addAll(kernel, kernelGradient, size);
      addAll(bias, biasGradient, columns);
      depth_--;
      return;
    }
    if (node.numLeaves == 1) {
      partsOfLeaf(node, kernelGradient, biasGradient);
      return;
    }
    const int half = node.numLeaves / 2;
    add({node.firstLeaf, half}, kernelGradient, biasGradient, Into::nothing);
    add({node.firstLeaf + half, half}, kernelGradient, biasGradient, Into::sum);
  }

  int rowsOf(const TreeNode& node) const {
    int rows = 0;
    for (int leaf = node.firstLeaf; leaf < node.firstLeaf + node.numLeaves; leaf++) rows += call_.leaves[leaf].numRows;
    return rows * call_.numSteps;
  }

  std::size_t kernelSize() const {
    return static_cast<std::size_t>(call_.hiddenSize) * static_cast<std::size_t>(call_.vocabularySize);
  }

  /** One at each depth of the tree that is open; they stay for the next call. */
  static Workspace& halvesAt(int depth) {
    static thread_local std::deque<Workspace> halves;
    while (static_cast<int>(halves.size()) <= depth) halves.emplace_back();
    Workspace& found = halves[static_cast<std::size_t>(depth)];
    found.reset();
    return found;
  }

  static Workspace& blockWorkspace() {
    static thread_local Workspace workspace;
    return workspace;
  }

  static void addAll(const float* from, float* to, std::size_t size) {
    for (std::size_t k = 0; k < size; k++) to[k] = to[k] + from[k];
  }

  /** A leaf of more rows than a block has: its sums go on where the part before left off. */
  void partsOfLeaf(const TreeNode& leaf, float* kernelGradient, float* biasGradient) {
    const LeafPositions all(call_.leaves, leaf.firstLeaf, 1, call_.numSteps, call_.numRows);
    std::fill_n(kernelGradient, kernelSize(), 0.0f);
    std::fill_n(biasGradient, static_cast<std::size_t>(call_.vocabularySize), 0.0f);
    for (int first = 0; first < all.count(); first += height_) {
      LeafPositions part = all;
      const int end = std::min(all.count(), first + height_);
      part.positions.assign(all.positions.begin() + first, all.positions.begin() + end);
      part.starts = {0, end - first};
      block(part, kernelGradient, biasGradient, Into::nothing, true);
    }
  }

  void block(const LeafPositions& at, float* kernelGradient, float* biasGradient, Into into,
             bool goesOn = false) {
    workspace_.reset();
    const int count = at.count(), size = call_.hiddenSize;
    const std::size_t numRows = static_cast<std::size_t>(count), width = static_cast<std::size_t>(size);
    float* hidden = workspace_.floats(numRows * width);
    float* weights = workspace_.floats(numRows);
    float* losses = workspace_.floats(numRows);
    std::vector<std::int32_t> targets(numRows);
    for (std::size_t n = 0; n < numRows; n++) {
      const std::size_t position = static_cast<std::size_t>(at.positions[n]);
      std::copy_n(call_.hidden + position * width, width, hidden + n * width);
      weights[n] = call_.weights[position];
      targets[n] = call_.targets[position];
    }
    const LossRows rows{count, hidden, targets.data(), weights, losses};
    const Logits logits = logitsOf(layer_, rows, workspace_);
    softmaxOf(layer_, rows, logits, true);
    for (std::size_t n = 0; n < numRows; n++) call_.losses[at.positions[n]] = losses[n];
    hiddenGradients(at, logits);
    weightGradients(at, hidden, logits, kernelGradient, biasGradient, into, goesOn);
  }

  /** Gradients of logits as a left factor: a panel is a block of inner indices. */
  LeftRows gradientsAsLeft(const Logits& logits) {
    const LeftFactor floats{logits.values, kPanelColumns, 1, static_cast<std::size_t>(logits.rows) * kPanelColumns};
    if (productPrecision() == Precision::float32) return {floats};
    const std::size_t blockStride = bfloat16Rows(logits.rows) * kBfloat16Block;
    Bfloat16* rounded = bfloat16Values(workspace_, Bfloat16Left::sizeFor(logits.rows, logits.panels));
    parallelFor(logits.panels, [&](int n) {
      toBfloat16(logits.at(n, 0), logits.rows * kPanelColumns, rounded + static_cast<std::size_t>(n) * blockStride);
    });
    return {floats, {rounded, blockStride}};
  }

  void hiddenGradients(const LeafPositions& at, const Logits& logits) {
    const int size = call_.hiddenSize;
    const LeftRows left = gradientsAsLeft(logits);
    const int panels = transposedKernel_.numPanels(), inner = call_.vocabularySize;
    // Every thread gets rows of its own, whole tiles of each precision but the last.
    constexpr int kTiles = 3 * kBfloat16TileRows;
    const int share = std::max(1, (at.count() + numThreads() - 1) / numThreads());
    const int perTask = (share + kTiles - 1) / kTiles * kTiles;
    parallelFor((at.count() + perTask - 1) / perTask, [&](int task) {
      const int firstRow = task * perTask, rows = std::min(perTask, at.count() - firstRow);
      const std::size_t stride = static_cast<std::size_t>(panels) * kPanelColumns;
      float* sums = freshWorkspace().floats(static_cast<std::size_t>(rows) * stride);
      const LeftRows own = left.fromRow(firstRow);
      for (int first = 0; first < inner; first += kHiddenInner) {
        const InnerRange range{first, std::min(kHiddenInner, inner - first)};
        for (int n = 0; n < panels; n++) {
          const Tile out{sums + n * kPanelColumns, stride};
          const Start start{first == 0 ? nullptr : out.p, stride};
          transposedKernel_.partOfProduct(n, range, own, rows, kPanelVectors, start, out);
        }
      }
      for (int row = 0; row < rows; row++) {
        const std::size_t position = static_cast<std::size_t>(at.positions[static_cast<std::size_t>(firstRow + row)]);
        std::copy_n(sums + static_cast<std::size_t>(row) * stride, size,
                    call_.hiddenGradient + position * static_cast<std::size_t>(size));
      }
    });
  }

  void weightGradients(const LeafPositions& at, const float* hidden, const Logits& logits,
                       float* kernelGradient, float* biasGradient, Into into, bool goesOn) {
    if (productPrecision() == Precision::bfloat16) {
      const PositionBlocks in(at);
      const auto rowAt = [&](int n) { return hidden + static_cast<std::size_t>(n) * static_cast<std::size_t>(call_.hiddenSize); };
      const TransposedPositions packedHidden(in, call_.hiddenSize, workspace_);
      packedHidden.pack(0, call_.hiddenSize, rowAt);
      const Bfloat16Left left = packedHidden.left();
      const std::size_t panelSize = static_cast<std::size_t>(in.count()) * kPanelBlockPairs;
      weightGradientPanels(at, logits, kernelGradient, biasGradient, into, goesOn, [&](const float* panel, Workspace& own) {
        auto* packed = reinterpret_cast<std::uint32_t*>(own.floats(panelSize));
        packPanelOfPositions(in, panel, packed);
        return Bfloat16Tiles{left, packed, in, at};
      });
      return;
    }
    const int size = call_.hiddenSize, blocks = (size + kTileRows - 1) / kTileRows;
    float* left = workspace_.floats(static_cast<std::size_t>(blocks) * at.count() * kTileRows);
    LeafPositions inOrder = at;
    for (int n = 0; n < at.count(); n++) inOrder.positions[n] = n;
    packLeftColumns(hidden, size, inOrder, left);
    weightGradientPanels(at, logits, kernelGradient, biasGradient, into, goesOn,
                         [&](const float* panel, Workspace&) { return FloatTiles{left, panel, at}; });
  }

  /** @param tilesOf makes a panel's products from its gradients */
  template <class TilesOf>
  void weightGradientPanels(const LeafPositions& at, const Logits& logits, float* kernelGradient, float* biasGradient,
                            Into into, bool goesOn, const TilesOf& tilesOf) {
    parallelFor(logits.panels, [&](int n) {
      Workspace& own = freshWorkspace();
      const int first = n * kPanelColumns, count = std::min(kPanelColumns, call_.vocabularySize - first);
      const float* panel = logits.at(n, 0);
      const auto of = tilesOf(panel, own);
      float* tiles = own.floats(TileTree::floatsFor(at.numLeaves(), of.kHeight * kPanelColumns));
      const std::size_t stride = static_cast<std::size_t>(call_.vocabularySize);
      gradientPanel(of, call_.hiddenSize, count, tiles, kernelGradient + first, stride, into, goesOn);
      biasGradientPanel(panel, at, count, tiles, biasGradient + first, into, goesOn);
    });
  }

  const SoftmaxLossGradient& call_;
  const LossLayer layer_;
  const RightPanels& transposedKernel_;
  const int height_;
  Workspace& workspace_ = blockWorkspace();
  int depth_ = 0;
};

inline void softmaxLossGradient(const SoftmaxLossGradient& call) {
  static thread_local Workspace workspace;
  workspace.reset();
  const RightPanels transposedKernel(call.vocabularySize, panelsOf(call.hiddenSize), workspace);
  transposedKernel.packAll(call.kernel, call.hiddenSize, true);
  LossGradient gradient(call, transposedKernel);
  for (int node = 0; node < call.numNodes; node++) {
    gradient.ofNode(call.nodes[node], call.kernelGradients[node], call.biasGradients[node]);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
