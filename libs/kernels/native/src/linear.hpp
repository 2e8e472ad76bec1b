#pragma once

#include <vector>

#include "ostinato/kernels.hpp"
#include "right-panels.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

#if defined(OSTINATO_SMALL_TILES)
// See kSmallChunk.
constexpr int kLeftBlockSize = 6 * 1024;
#else
/** Values of the left factor that stay in the second cache while all panels go by. */
constexpr int kLeftBlockSize = 48 * 1024;
#endif

/** Some rows × some panels of a product: what one task does. */
struct ProductBlocks {
  int rows, numRowBlocks, panels, numPanelBlocks;

  ProductBlocks(int numRows, int inner, int numPanels) {
    const int most = std::max(4, kLeftBlockSize / std::max(1, inner) / kTileRows) * kTileRows;
    numRowBlocks = (numRows + most - 1) / most;
    rows = most;
    // Every thread gets some blocks; more panels a block read the rows less often.
    const int wanted = numThreads() == 1 ? 1 : 4 * numThreads();
    panels = std::max(1, numPanels * std::max(1, numRowBlocks) / std::max(wanted, numRowBlocks));
    numPanelBlocks = (numPanels + panels - 1) / panels;
  }
};

/** The biases of all panels, zeros beyond the last; nullptr without any. */
inline const float* packedBias(const float* bias, int columns, Workspace& workspace) {
  if (bias == nullptr) return nullptr;
  float* packed = workspace.floats(static_cast<std::size_t>(panelsOf(columns)) * kPanelColumns);
  for (int first = 0; first < columns; first += kPanelColumns) {
    copyPanelRow(bias + first, columns - first, packed + first);
  }
  return packed;
}

/** Writes the first `count` columns of a tile. */
inline void writeTile(const float* tile, int rows, int count, float* out, std::size_t stride) {
  for (int row = 0; row < rows; row++) {
    const float* from = tile + static_cast<std::size_t>(row) * kPanelColumns;
    float* to = out + static_cast<std::size_t>(row) * stride;
    const int low = std::min(count, kLanes), high = count - low;
    storeFirst(to, load(from), low);
    if (high > 0) storeFirst(to + kLanes, load(from + kLanes), high);
  }
}

/** Some rows × the n-th panel; scratch [rows][32] is for a panel that is not whole. */
inline void productOfRows(const MatMulBias& call, const RightPanels& kernel, const LeftRows& left, int firstRow,
                          int numRows, int n, const float* bias, float* scratch) {
  const int first = n * kPanelColumns, count = std::min(kPanelColumns, call.columns - first);
  const std::size_t stride = static_cast<std::size_t>(call.columns);
  const Start start{bias == nullptr ? nullptr : bias + first, 0};
  float* out = call.product + static_cast<std::size_t>(firstRow) * stride + first;
  const bool isWhole = count == kPanelColumns;
  const Tile tile = isWhole ? Tile{out, stride} : Tile{scratch, kPanelColumns};
  kernel.product(n, left, numRows, vectorsOf(count), start, tile);
  if (!isWhole) writeTile(scratch, numRows, count, out, stride);
}

inline void matMulBias(const MatMulBias& call) {
  Workspace& workspace = freshSharedWorkspace();
  const RightPanels kernel(call.inner, panelsOf(call.columns), workspace);
  const float* bias = packedBias(call.bias, call.columns, workspace);
  kernel.packAll(call.kernel, call.columns, call.transposed);
  const ProductBlocks blocks(call.numRows, call.inner, kernel.numPanels());
  const Precision precision = productPrecision();
  const auto task = [&](int index) {
    const int firstRow = index / blocks.numPanelBlocks * blocks.rows;
    const int numRows = std::min(blocks.rows, call.numRows - firstRow);
    const int firstPanel = index % blocks.numPanelBlocks * blocks.panels;
    const int end = std::min(kernel.numPanels(), firstPanel + blocks.panels);
    Workspace& own = freshWorkspace();
    const std::size_t inner = static_cast<std::size_t>(call.inner);
    const LeftRows left = LeftBuffer(numRows, call.inner, own, precision)
                              .ofTask(call.rows + static_cast<std::size_t>(firstRow) * inner, inner, numRows);
    float* scratch = own.floats(static_cast<std::size_t>(numRows) * kPanelColumns);
    for (int n = firstPanel; n < end; n++) productOfRows(call, kernel, left, firstRow, numRows, n, bias, scratch);
  };
  parallelFor(blocks.numRowBlocks * blocks.numPanelBlocks, task);
}

/** Where the positions of leaves lie in a list of all of them, leaf by leaf, each by time, then by row. */
struct LeafPositions {
  std::vector<int> positions;
  /** One more than there are leaves. */
  std::vector<int> starts;

  LeafPositions(const LeafRows* leaves, int firstLeaf, int numLeaves, int numSteps, int numRows) {
    starts.push_back(0);
    for (int leaf = firstLeaf; leaf < firstLeaf + numLeaves; leaf++) {
      for (int t = 0; t < numSteps; t++) {
        for (int row = 0; row < leaves[leaf].numRows; row++) {
          positions.push_back(t * numRows + leaves[leaf].firstRow + row);
        }
      }
      starts.push_back(static_cast<int>(positions.size()));
    }
  }
  int count() const { return static_cast<int>(positions.size()); }
  int numLeaves() const { return static_cast<int>(starts.size()) - 1; }
};

/** Sums of tiles along the binary tree over leaves that come in order; [levels][size] of scratch. */
class TileTree {
 public:
  TileTree(float* scratch, int size) : TileTree(scratch, size, static_cast<std::size_t>(size)) {}
  /** Its levels lie `levelSize` apart: room for the trees of other tiles that take the same leaves. */
  TileTree(float* scratch, int size, std::size_t levelSize)
      : scratch_(scratch), size_(size), levelSize_(levelSize) {}

  /** Of another tile, which has taken the same leaves, at an offset into a level. */
  TileTree at(std::size_t offset) const {
    TileTree other = *this;
    other.scratch_ += offset;
    return other;
  }

  /** Where the next leaf's tile is to be written. */
  float* next() { return scratch_ + static_cast<std::size_t>(depth_) * levelSize_; }

  /** Takes it, and adds up every pair of equal halves that is complete. */
  void take() {
    depth_++;
    for (int n = ++taken_; n % 2 == 0; n /= 2) {
      depth_--;
      float* left = scratch_ + static_cast<std::size_t>(depth_ - 1) * levelSize_;
      const float* right = left + levelSize_;
      for (int k = 0; k < size_; k += kLanes) store(left + k, add(load(left + k), load(right + k)));
    }
  }

  const float* root() const { return scratch_; }

  /** Scratch that `numLeaves` leaves need. */
  static std::size_t floatsFor(int numLeaves, std::size_t levelSize) {
    std::size_t depth = 2;
    for (int n = numLeaves; n > 1; n /= 2) depth++;
    return depth * levelSize;
  }

 private:
  float* scratch_;
  int size_;
  std::size_t levelSize_;
  int depth_ = 0, taken_ = 0;
};

/** What becomes of the values that are there. */
enum class Into { nothing, sum };

inline void addTile(const float* tile, int rows, int count, float* out, std::size_t stride) {
  for (int row = 0; row < rows; row++) {
    const float* from = tile + static_cast<std::size_t>(row) * kPanelColumns;
    float* to = out + static_cast<std::size_t>(row) * stride;
    for (int first = 0; first < count; first += kLanes) {
      const int lanes = std::min(kLanes, count - first);
      storeFirst(to + first, add(loadFirst(to + first, lanes), load(from + first)), lanes);
    }
  }
}

inline void readTile(const float* from, std::size_t stride, int rows, int count, float* tile) {
  for (int row = 0; row < rows; row++) {
    copyPanelRow(from + static_cast<std::size_t>(row) * stride, count,
                 tile + static_cast<std::size_t>(row) * kPanelColumns);
  }
}

/**
 * One panel of the kernel's gradient of one node, summed in tree order tile by tile; written, or added to
 * what is there as the tree's left half. With `goesOn` what is there is the sum over the leaf's earlier
 * positions. `tiles` is the tree's scratch for one tile.
 */
template <class Tiles>
inline void gradientPanel(const Tiles& of, int inputs, int count, float* tiles, float* out, std::size_t stride,
                          Into into = Into::nothing, bool goesOn = false) {
  for (int first = 0; first < inputs; first += Tiles::kHeight) {
    const int rows = std::min(Tiles::kHeight, inputs - first);
    TileTree tree(tiles, Tiles::kHeight * kPanelColumns);
    if (goesOn) readTile(out + static_cast<std::size_t>(first) * stride, stride, rows, count, tree.next());
    for (int leaf = 0; leaf < of.at.numLeaves(); leaf++) {
      of.product(first, rows, count, leaf, {goesOn ? tree.next() : nullptr, kPanelColumns},
                 {tree.next(), kPanelColumns});
      tree.take();
    }
    float* to = out + static_cast<std::size_t>(first) * stride;
    if (into == Into::sum) {
      addTile(tree.root(), rows, count, to, stride);
    } else {
      writeTile(tree.root(), rows, count, to, stride);
    }
  }
}

inline void biasGradientPanel(const float* panel, const LeafPositions& at, int count, float* tiles,
                              float* out, Into into = Into::nothing, bool goesOn = false) {
  TileTree tree(tiles, kPanelColumns);
  if (goesOn) readTile(out, 0, 1, count, tree.next());
  for (int leaf = 0; leaf < at.numLeaves(); leaf++) {
    float* tile = tree.next();
    Vec16 low = goesOn ? load(tile) : zero(), high = goesOn ? load(tile + kLanes) : zero();
    for (int n = at.starts[leaf]; n < at.starts[leaf + 1]; n++) {
      low = add(low, load(panel + static_cast<std::size_t>(n) * kPanelColumns));
      high = add(high, load(panel + static_cast<std::size_t>(n) * kPanelColumns + kLanes));
    }
    store(tile, low);
    store(tile + kLanes, high);
    tree.take();
  }
  if (into == Into::sum) {
    addTile(tree.root(), 1, count, out, 0);
  } else {
    writeTile(tree.root(), 1, count, out, 0);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
