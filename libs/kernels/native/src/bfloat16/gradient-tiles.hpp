// The factors of weight gradients in bfloat16: positions are the inner index, those of each leaf in blocks of
// their own, so that a leaf's sums do not depend on its neighbours.
#pragma once

#include <vector>

#include "../linear.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Blocks of 32 positions of one leaf each, in the leaves' order. */
struct PositionBlocks {
  /** Index of a block's first position, and how many it has. */
  struct Block {
    int first, count;
  };
  std::vector<Block> blocks;
  /** The first block of each leaf, and one more. */
  std::vector<int> starts;

  explicit PositionBlocks(const LeafPositions& at) {
    starts.push_back(0);
    for (int leaf = 0; leaf < at.numLeaves(); leaf++) {
      const int end = at.starts[leaf + 1];
      for (int first = at.starts[leaf]; first < end; first += kBfloat16Block) {
        blocks.push_back({first, std::min(kBfloat16Block, end - first)});
      }
      starts.push_back(count());
    }
  }
  int count() const { return static_cast<int>(blocks.size()); }
};

/** A factor of weight gradients: inputs of positions, transposed. */
class TransposedPositions {
 public:
  TransposedPositions(const PositionBlocks& in, int inputs, Workspace& workspace)
      : in_(in),
        packed_(bfloat16Values(workspace, Bfloat16Left::sizeFor(inputs, in.count()))),
        blockStride_(bfloat16Rows(inputs) * kBfloat16Block) {}

  /** `count` inputs from `first` on, by the calling thread and its helpers; those of the n-th position at `rowAt(n)`. */
  template <class RowAt>
  void pack(int first, int count, const RowAt& rowAt) const {
    parallelFor(in_.count(), [&](int n) {
      const PositionBlocks::Block& block = in_.blocks[static_cast<std::size_t>(n)];
      Bfloat16* to = packed_ + static_cast<std::size_t>(n) * blockStride_ + static_cast<std::size_t>(first) * kBfloat16Block;
      packBfloat16Transposed([&](int k) { return rowAt(block.first + k); }, block.count, count, to);
    });
  }

  Bfloat16Left left() const { return {packed_, blockStride_}; }

 private:
  const PositionBlocks& in_;
  Bfloat16* const packed_;
  const std::size_t blockStride_;
};

/** A float32 panel [N][32] of positions → [blocks][16 pairs][32]. */
inline void packPanelOfPositions(const PositionBlocks& in, const float* panel, std::uint32_t* packed) {
  for (const PositionBlocks::Block& block : in.blocks) {
    packBfloat16Panel(panel + static_cast<std::size_t>(block.first) * kPanelColumns, block.count, packed);
    packed += kPanelBlockPairs;
  }
}

/** The products of a node's leaves with one panel of their gradient, for `gradientPanel`. */
struct Bfloat16Tiles {
  static constexpr int kHeight = 2 * kBfloat16TileRows;
  const Bfloat16Left left;
  const std::uint32_t* panel;
  const PositionBlocks& in;
  const LeafPositions& at;

  void product(int first, int rows, int, int leaf, const Start& start, const Tile& out) const {
    const int from = in.starts[leaf];
    bfloat16Product(left.fromRow(first).fromBlock(from), rows,
                    panel + static_cast<std::size_t>(from) * kPanelBlockPairs, in.starts[leaf + 1] - from, start, out);
  }
};

/** Panels of a gradient that one task takes at most: the inputs are read once for all of them. */
constexpr int kBfloat16Panels = 4;

/** The gradients of one node; leaves' sums along the tree tile by tile. */
inline void bfloat16LinearGradient(const LinearGradient& call, int node) {
  const TreeNode& leaves = call.nodes[node];
  const LeafPositions at(call.leaves, leaves.firstLeaf, leaves.numLeaves, call.numSteps, call.numRows);
  const PositionBlocks in(at);
  const auto rowAt = [&](const float* rows, int n, int columns) {
    return rows + static_cast<std::size_t>(at.positions[static_cast<std::size_t>(n)]) * static_cast<std::size_t>(columns);
  };
  const TransposedPositions packedInputs(in, call.allInputs(), freshSharedWorkspace());
  packedInputs.pack(0, call.inputs, [&](int n) { return rowAt(call.rows, n, call.inputs); });
  packedInputs.pack(call.inputs, call.furtherInputs, [&](int n) { return rowAt(call.furtherRows, n, call.furtherInputs); });
  const Bfloat16Left left = packedInputs.left();
  const int panels = panelsOf(call.outputs);
  const int perTask = std::max(1, std::min(kBfloat16Panels, panels / numThreads()));
  const std::size_t stride = static_cast<std::size_t>(call.outputs);
  parallelFor((panels + perTask - 1) / perTask, [&](int task) {
    Workspace& own = freshWorkspace();
    const int firstPanel = task * perTask, count = std::min(perTask, panels - firstPanel);
    const std::size_t panelSize = static_cast<std::size_t>(in.count()) * kPanelBlockPairs;
    float* panel = own.floats(static_cast<std::size_t>(at.count()) * kPanelColumns);
    auto* packed = reinterpret_cast<std::uint32_t*>(own.floats(panelSize * static_cast<std::size_t>(count)));
    constexpr int kTileSize = Bfloat16Tiles::kHeight * kPanelColumns;
    float* tiles = own.floats(TileTree::floatsFor(at.numLeaves(), kTileSize));
    for (int n = 0; n < count; n++) {
      const int first = (firstPanel + n) * kPanelColumns, columns = std::min(kPanelColumns, call.outputs - first);
      for (int position = 0; position < at.count(); position++) {
        copyPanelRow(rowAt(call.gradient, position, call.outputs) + first, columns,
                     panel + static_cast<std::size_t>(position) * kPanelColumns);
      }
      packPanelOfPositions(in, panel, packed + panelSize * static_cast<std::size_t>(n));
      if (call.biasGradients != nullptr) {
        biasGradientPanel(panel, at, columns, tiles, call.biasGradients[node] + first);
      }
    }
    for (int row = 0; row < call.allInputs(); row += Bfloat16Tiles::kHeight) {
      const int rows = std::min(Bfloat16Tiles::kHeight, call.allInputs() - row);
      for (int n = 0; n < count; n++) {
        const int first = (firstPanel + n) * kPanelColumns, columns = std::min(kPanelColumns, call.outputs - first);
        const Bfloat16Tiles of{left.fromRow(row), packed + panelSize * static_cast<std::size_t>(n), in, at};
        gradientPanel(of, rows, columns, tiles, call.kernelGradients[node] + static_cast<std::size_t>(row) * stride + first,
                      stride);
      }
    }
  });
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
