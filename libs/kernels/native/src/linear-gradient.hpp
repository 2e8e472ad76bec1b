// Gradients of kernels and biases over the positions of leaves, summed in tree order tile by tile: no leaf's
// gradient is ever written out.
#pragma once

#include "bfloat16/gradient-tiles.hpp"
#include "linear.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Positions that make one chunk, whatever their inputs: a tile is done before the next one begins. */
constexpr int kSmallChunk = 1024;
/** Inputs of the positions of a chunk else: they stay in the second cache while all tiles go by. */
constexpr int kChunkInputs = 64 * 1024;
/** Panels that one task takes at most: it reads the inputs once for all of them. More pay with many chunks. */
constexpr int kMostPanels = 8, kMostPanelsOfOneChunk = 4;

/** Consecutive steps of consecutive rows of one leaf; all of the leaf if it is its first and its last one. */
struct LeafSegment {
  int firstStep, numSteps, firstRow, numRows;
  bool isFirst = false, isLast = false;

  int numPositions() const { return numSteps * numRows; }
};

struct LeafChunk {
  std::vector<LeafSegment> segments;
  int numPositions = 0;
};

/** The positions of a node's leaves, leaf by leaf, each by time, then by row, in chunks. */
class LeafChunks {
 public:
  LeafChunks(const LinearGradient& call, const TreeNode& node) : chunks_(1) {
    const LeafRows* leaves = call.leaves + node.firstLeaf;
    int total = 0;
    for (int leaf = 0; leaf < node.numLeaves; leaf++) total += leaves[leaf].numRows * call.numSteps;
    most_ = std::max(32, std::min(kSmallChunk, total <= kSmallChunk ? total : kChunkInputs / call.inputs));
    for (int leaf = 0; leaf < node.numLeaves; leaf++) take(leaves[leaf], call.numSteps);
  }

  bool isOne() const { return chunks_.size() == 1; }
  const std::vector<LeafChunk>& chunks() const { return chunks_; }
  int mostPositions() const { return most_; }

 private:
  void take(const LeafRows& leaf, int numSteps) {
    bool isFirst = true;
    const auto push = [&](int step, int steps, int row, int rows) {
      LeafChunk& chunk = chunks_.back();
      chunk.segments.push_back({step, steps, row, rows, isFirst, false});
      chunk.numPositions += steps * rows;
      isFirst = false;
    };
    if (leaf.numRows == 0 || numSteps == 0) push(0, 0, leaf.firstRow, 0);
    for (int step = 0; step < numSteps && leaf.numRows > 0;) {
      const int room = most_ - chunks_.back().numPositions;
      if (leaf.numRows <= room) {
        const int steps = std::min(numSteps - step, room / leaf.numRows);
        push(step, steps, leaf.firstRow, leaf.numRows);
        step += steps;
      } else if (room < most_) {
        chunks_.emplace_back();
      } else {
        // A step of more rows than a chunk has.
        for (int row = 0; row < leaf.numRows; row += most_) {
          if (row > 0) chunks_.emplace_back();
          push(step, 1, leaf.firstRow + row, std::min(most_, leaf.numRows - row));
        }
        step++;
      }
    }
    chunks_.back().segments.back().isLast = true;
  }

  int most_;
  std::vector<LeafChunk> chunks_;
};

/** Some panels of one node's gradients. */
class GradientPanels {
 public:
  GradientPanels(const LinearGradient& call, int node, const LeafChunks& chunks, int firstPanel, int numPanels)
      : call_(call),
        chunks_(chunks),
        kernelGradient_(call.kernelGradients[node]),
        biasGradient_(call.biasGradients == nullptr ? nullptr : call.biasGradients[node]),
        numLeaves_(call.nodes[node].numLeaves),
        firstPanel_(firstPanel),
        numPanels_(numPanels) {}

  void compute() const {
    Workspace& workspace = freshWorkspace();
    const std::size_t rows = static_cast<std::size_t>((call_.inputs + kTileRows - 1) / kTileRows * kTileRows);
    // With a single chunk a tile is done before the next one begins.
    const std::size_t numPanels = static_cast<std::size_t>(numPanels_), biasSize = numPanels * kPanelColumns;
    const std::size_t levelSize = chunks_.isOne() ? kTileSize : rows * biasSize;
    float* panels = workspace.floats(panelSize() * numPanels);
    TileTree tree(workspace.floats(TileTree::floatsFor(numLeaves_, levelSize)), kTileSize, levelSize);
    TileTree biasTree(workspace.floats(TileTree::floatsFor(numLeaves_, biasSize)), static_cast<int>(biasSize));
    for (const LeafChunk& chunk : chunks_.chunks()) {
      packRight(chunk, panels);
      tree = addTiles(chunk, panels, tree);
      if (biasGradient_ != nullptr) addBiases(chunk, panels, biasTree);
    }
    if (biasGradient_ == nullptr) return;
    for (int n = 0; n < numPanels_; n++) {
      writeTile(biasTree.root() + n * kPanelColumns, 1, columnsOf(n), biasGradient_ + firstColumnOf(n), 0);
    }
  }

 private:
  static constexpr int kTileSize = kTileRows * kPanelColumns;

  std::size_t panelSize() const { return static_cast<std::size_t>(chunks_.mostPositions()) * kPanelColumns; }
  int firstColumnOf(int n) const { return (firstPanel_ + n) * kPanelColumns; }
  int columnsOf(int n) const { return std::min(kPanelColumns, call_.outputs - firstColumnOf(n)); }
  std::size_t positionOf(int step, int row) const {
    return static_cast<std::size_t>(step) * static_cast<std::size_t>(call_.numRows) + static_cast<std::size_t>(row);
  }

  void packRight(const LeafChunk& chunk, float* panels) const {
    float* to = panels;
    const std::size_t width = static_cast<std::size_t>(call_.outputs);
    for (const LeafSegment& segment : chunk.segments) {
      for (int step = segment.firstStep; step < segment.firstStep + segment.numSteps; step++) {
        const float* from = call_.gradient + positionOf(step, segment.firstRow) * width;
        for (int row = 0; row < segment.numRows; row++, from += width, to += kPanelColumns) {
          for (int n = 0; n < numPanels_; n++) {
            copyPanelRow(from + firstColumnOf(n), columnsOf(n), to + panelSize() * static_cast<std::size_t>(n));
          }
        }
      }
    }
  }

  /** A segment's inputs from column `first` on, where they are. */
  LeftFactor leftOf(const LeafSegment& segment, int first) const {
    const std::size_t width = static_cast<std::size_t>(call_.inputs);
    const float* p = call_.rows + positionOf(segment.firstStep, segment.firstRow) * width + first;
    const bool isContiguous = segment.numRows == call_.numRows || segment.numSteps <= 1;
    if (isContiguous) return {p, 1, width};
    return {p, 1, width, width * static_cast<std::size_t>(call_.numRows), segment.numRows};
  }

  /** @returns the tree, moved on by the chunk's leaves; writes the gradient after the last chunk. */
  TileTree addTiles(const LeafChunk& chunk, const float* panels, const TileTree& before) const {
    TileTree after = before;
    const bool isLastChunk = &chunk == &chunks_.chunks().back();
    const std::size_t stride = static_cast<std::size_t>(call_.outputs);
    std::size_t offset = 0;
    for (int first = 0; first < call_.inputs; first += kTileRows) {
      const int rows = std::min(kTileRows, call_.inputs - first);
      for (int n = 0; n < numPanels_; n++) {
        TileTree tree = before.at(offset);
        const float* panel = panels + panelSize() * static_cast<std::size_t>(n);
        addTile(chunk, first, rows, panel, vectorsOf(columnsOf(n)), tree);
        if (isLastChunk) {
          float* out = kernelGradient_ + static_cast<std::size_t>(first) * stride + firstColumnOf(n);
          writeTile(tree.root(), rows, columnsOf(n), out, stride);
        }
        if (offset == 0) after = tree;
        if (!chunks_.isOne()) offset += kTileSize;
      }
    }
    return after;
  }

  void addTile(const LeafChunk& chunk, int first, int rows, const float* panel, int vectors,
               TileTree& tree) const {
    for (const LeafSegment& segment : chunk.segments) {
      float* tile = tree.next();
      const Start start{segment.isFirst ? nullptr : tile, kPanelColumns};
      tileOf(rows, vectors, leftOf(segment, first), panel, segment.numPositions(), start, {tile, kPanelColumns});
      panel += static_cast<std::size_t>(segment.numPositions()) * kPanelColumns;
      if (segment.isLast) tree.take();
    }
  }

  void addBiases(const LeafChunk& chunk, const float* panels, TileTree& tree) const {
    for (const LeafSegment& segment : chunk.segments) {
      float* sums = tree.next();
      if (segment.isFirst) std::fill_n(sums, numPanels_ * kPanelColumns, 0.0f);
      for (int n = 0; n < numPanels_; n++, sums += kPanelColumns) {
        const float* panel = panels + panelSize() * static_cast<std::size_t>(n);
        Vec16 low = load(sums), high = load(sums + kLanes);
        for (int index = 0; index < segment.numPositions(); index++, panel += kPanelColumns) {
          low = add(low, load(panel));
          high = add(high, load(panel + kLanes));
        }
        store(sums, low);
        store(sums + kLanes, high);
      }
      panels += static_cast<std::size_t>(segment.numPositions()) * kPanelColumns;
      if (segment.isLast) tree.take();
    }
  }

  const LinearGradient& call_;
  const LeafChunks& chunks_;
  float* const kernelGradient_;
  float* const biasGradient_;
  const int numLeaves_, firstPanel_, numPanels_;
};

inline void linearGradient(const LinearGradient& call) {
  const int panels = panelsOf(call.outputs), wanted = numThreads() == 1 ? 1 : 4 * numThreads();
  for (int node = 0; node < call.numNodes; node++) {
    if (productPrecision() == Precision::bfloat16) {
      bfloat16LinearGradient(call, node);
      continue;
    }
    const LeafChunks chunks(call, call.nodes[node]);
    const int most = chunks.isOne() ? kMostPanelsOfOneChunk : kMostPanels;
    const int perTask = std::max(1, std::min(most, panels / wanted));
    const auto task = [&](int n) {
      const int first = n * perTask;
      GradientPanels(call, node, chunks, first, std::min(perTask, panels - first)).compute();
    };
    parallelFor((panels + perTask - 1) / perTask, task);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
