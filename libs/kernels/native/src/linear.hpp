#pragma once

#include <vector>

#include "ostinato/kernels.hpp"
#include "product.hpp"
#include "thread-pool.hpp"
#include "workspace.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Inner indices of a panel that stay in the second cache; more are taken one such block after another. */
constexpr int kInnerBlock = 1024;

/** Rows [rows,K] × a panel [K][32], in blocks of the inner index. */
inline void blockedPanelProduct(const LeftFactor& left, int rows, int vectors, const float* panel, int inner,
                                const Start& start, const Tile& out) {
  Start from = start;
  for (int done = 0; done < inner || done == 0; done += kInnerBlock) {
    const int count = std::min(kInnerBlock, inner - done);
    const std::size_t offset = left.blockStride == 0
                                   ? static_cast<std::size_t>(done) * left.innerStride
                                   : static_cast<std::size_t>(done / left.blockSize) * left.blockStride;
    const LeftFactor part{left.p + offset, left.rowStride, left.innerStride, left.blockStride, left.blockSize};
    panelProduct(part, rows, vectors, panel + static_cast<std::size_t>(done) * kPanelColumns, count, from, out);
    from = {out.p, out.rowStride};
  }
}

/** Values of the left factor that stay in the second cache while all panels go by. */
constexpr int kLeftBlockSize = 48 * 1024;

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

/** A right factor [K,columns], or transposed [columns,K], and a bias in panels, one [K + 1][32] for each. */
inline void packProductPanel(const MatMulBias& call, int n, float* panel) {
  const int first = n * kPanelColumns, count = std::min(kPanelColumns, call.columns - first);
  if (call.bias != nullptr) copyPanelRow(call.bias + first, count, panel);
  panel += kPanelColumns;
  if (call.transposed) {
    packTransposedPanel(call.kernel, static_cast<std::size_t>(call.inner), call.inner, first, count, panel);
  } else {
    packPanel(call.kernel, static_cast<std::size_t>(call.columns), call.inner, first, count, panel);
  }
}

/** Some rows × a panel that begins with the bias. */
inline void productOfRows(const MatMulBias& call, int firstRow, int numRows, int n, const float* panel) {
  const int first = n * kPanelColumns, count = std::min(kPanelColumns, call.columns - first);
  const std::size_t inner = static_cast<std::size_t>(call.inner), stride = static_cast<std::size_t>(call.columns);
  const LeftFactor left{call.rows + static_cast<std::size_t>(firstRow) * inner, inner};
  const Start bias{call.bias == nullptr ? nullptr : panel, 0};
  float* out = call.product + static_cast<std::size_t>(firstRow) * stride + first;
  if (count == kPanelColumns) {
    blockedPanelProduct(left, numRows, vectorsOf(count), panel + kPanelColumns, call.inner, bias, {out, stride});
    return;
  }
  float* scratch = freshWorkspace().floats(static_cast<std::size_t>(numRows) * kPanelColumns);
  blockedPanelProduct(left, numRows, vectorsOf(count), panel + kPanelColumns, call.inner, bias,
                      {scratch, kPanelColumns});
  for (int row = 0; row < numRows; row++) {
    std::copy_n(scratch + static_cast<std::size_t>(row) * kPanelColumns, count,
                out + static_cast<std::size_t>(row) * stride);
  }
}

inline void matMulBias(const MatMulBias& call) {
  const int panels = panelsOf(call.columns);
  const std::size_t panelSize = (static_cast<std::size_t>(call.inner) + 1) * kPanelColumns;
  float* packed = freshSharedWorkspace().floats(panelSize * static_cast<std::size_t>(panels));
  const auto pack = [&](int n) { packProductPanel(call, n, packed + panelSize * static_cast<std::size_t>(n)); };
  parallelFor(panels, pack);
  const ProductBlocks blocks(call.numRows, call.inner, panels);
  const auto task = [&](int index) {
    const int firstRow = index / blocks.numPanelBlocks * blocks.rows;
    const int numRows = std::min(blocks.rows, call.numRows - firstRow);
    const int firstPanel = index % blocks.numPanelBlocks * blocks.panels;
    const int end = std::min(panels, firstPanel + blocks.panels);
    for (int n = firstPanel; n < end; n++) {
      productOfRows(call, firstRow, numRows, n, packed + panelSize * static_cast<std::size_t>(n));
    }
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

/** Columns of a sequence at some positions, in blocks of a tile's rows: [blocks][N][kTileRows]. */
inline void packLeftColumns(const float* rows, int columns, const LeafPositions& at, float* packed) {
  for (int first = 0; first < columns; first += kTileRows) {
    const int count = std::min(kTileRows, columns - first);
    for (int position : at.positions) {
      const float* row = rows + static_cast<std::size_t>(position) * columns + first;
      for (int k = 0; k < count; k++) packed[k] = row[k];
      for (int k = count; k < kTileRows; k++) packed[k] = 0.0f;
      packed += kTileRows;
    }
  }
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
 * positions.
 */
inline void gradientPanel(const float* packedLeft, const float* panel, const LeafPositions& at, int inputs,
                          int count, float* tiles, float* out, std::size_t stride,
                          Into into = Into::nothing, bool goesOn = false) {
  constexpr int kTileSize = kTileRows * kPanelColumns;
  for (int first = 0; first < inputs; first += kTileRows) {
    const int rows = std::min(kTileRows, inputs - first);
    const float* left = packedLeft + static_cast<std::size_t>(first) * at.count();
    TileTree tree(tiles, kTileSize);
    if (goesOn) readTile(out + static_cast<std::size_t>(first) * stride, stride, rows, count, tree.next());
    for (int leaf = 0; leaf < at.numLeaves(); leaf++) {
      const int start = at.starts[leaf];
      const LeftFactor factor{left + static_cast<std::size_t>(start) * kTileRows, 1, kTileRows};
      tileOf(rows, vectorsOf(count), factor, panel + static_cast<std::size_t>(start) * kPanelColumns,
             at.starts[leaf + 1] - start, {goesOn ? tree.next() : nullptr, kPanelColumns}, {tree.next(), kPanelColumns});
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
