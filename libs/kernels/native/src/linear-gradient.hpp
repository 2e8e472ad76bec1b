// Gradients of kernels and biases over the positions of leaves, summed in tree order tile by tile: no leaf's
// gradient is ever written out.
#pragma once

#include <optional>

#include "bfloat16/gradient-tiles.hpp"
#include "packed-inputs.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Panels that one task takes at most: it reads the inputs once for all of them. More pay with many chunks. */
constexpr int kMostPanels = 8, kMostPanelsOfOneChunk = 4;

/** Some panels of one node's gradients. */
class GradientPanels {
 public:
  /** @param packed holds the inputs of the only chunk; nullptr: they are packed here, chunk by chunk. */
  GradientPanels(const LinearGradient& call, int node, const LeafChunks& chunks, const PackedInputs* packed,
                 int firstPanel, int numPanels)
      : call_(call),
        packed_(packed),
        chunks_(chunks),
        kernelGradient_(call.kernelGradients[node]),
        biasGradient_(call.biasGradients == nullptr ? nullptr : call.biasGradients[node]),
        numLeaves_(call.nodes[node].numLeaves),
        firstPanel_(firstPanel),
        numPanels_(numPanels) {}

  void compute() const {
    Workspace& workspace = freshWorkspace();
    const std::size_t rows = static_cast<std::size_t>((call_.allInputs() + kTileRows - 1) / kTileRows * kTileRows);
    // With a single chunk a tile is done before the next one begins.
    const std::size_t numPanels = static_cast<std::size_t>(numPanels_), biasSize = numPanels * kPanelColumns;
    const std::size_t levelSize = chunks_.isOne() ? kTileSize : rows * biasSize;
    float* panels = workspace.floats(panelSize() * numPanels);
    TileTree tree(workspace.floats(TileTree::floatsFor(numLeaves_, levelSize)), kTileSize, levelSize);
    TileTree biasTree(workspace.floats(TileTree::floatsFor(numLeaves_, biasSize)), static_cast<int>(biasSize));
    std::optional<PackedInputs> own;
    if (packed_ == nullptr) own.emplace(call_, chunks_, workspace);
    for (const LeafChunk& chunk : chunks_.chunks()) {
      if (own) own->pack(chunk);
      packRight(chunk, panels);
      tree = addTiles(chunk, own ? *own : *packed_, panels, tree);
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

  /** @returns the tree, moved on by the chunk's leaves; writes the gradient after the last chunk. */
  TileTree addTiles(const LeafChunk& chunk, const PackedInputs& inputs, const float* panels,
                    const TileTree& before) const {
    TileTree after = before;
    const bool isLastChunk = &chunk == &chunks_.chunks().back();
    const std::size_t stride = static_cast<std::size_t>(call_.outputs);
    std::size_t offset = 0;
    for (int first = 0; first < call_.allInputs(); first += kTileRows) {
      const int rows = std::min(kTileRows, call_.allInputs() - first);
      for (int n = 0; n < numPanels_; n++) {
        TileTree tree = before.at(offset);
        const float* panel = panels + panelSize() * static_cast<std::size_t>(n);
        addTile(chunk, inputs, {first, rows, n}, panel, tree);
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

  /** Inputs × the columns of the n-th panel. */
  struct GradientTile {
    int first, rows, n;
  };

  void addTile(const LeafChunk& chunk, const PackedInputs& inputs, const GradientTile& of, const float* panel,
               TileTree& tree) const {
    // The next tile's inputs are asked for while those of all panels add up.
    const std::size_t share = static_cast<std::size_t>((kTileRows + numPanels_ - 1) / numPanels_);
    const std::size_t numPositions = static_cast<std::size_t>(chunk.numPositions);
    Upcoming next{inputs.of(of.first, 0).p + inputs.stride() + static_cast<std::size_t>(of.n) * share * numPositions, share};
    const int vectors = vectorsOf(columnsOf(of.n));
    std::size_t position = 0;
    for (const LeafSegment& segment : chunk.segments) {
      float* tile = tree.next();
      const Start start{segment.isFirst ? nullptr : tile, kPanelColumns};
      const std::size_t count = static_cast<std::size_t>(segment.numPositions());
      streamedTileOf<LeftOrder::packedColumns>(of.rows, vectors, inputs.of(of.first, position), panel,
                                               segment.numPositions(), start, {tile, kPanelColumns}, next);
      position += count;
      panel += count * kPanelColumns;
      next.p += share * count;
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
  const PackedInputs* const packed_;
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
    std::optional<PackedInputs> packed;
    if (chunks.isOne()) {
      packed.emplace(call, chunks, freshSharedWorkspace());
      packed->pack(chunks.chunks().front());
    }
    const int most = chunks.isOne() ? kMostPanelsOfOneChunk : kMostPanels;
    const int perTask = std::max(1, std::min(most, panels / wanted));
    const auto task = [&](int n) {
      const int first = n * perTask;
      GradientPanels(call, node, chunks, packed ? &*packed : nullptr, first, std::min(perTask, panels - first)).compute();
    };
    parallelFor((panels + perTask - 1) / perTask, task);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
