// The positions of the leaves of a node of the gradient tree, in chunks that stay in a cache.
#pragma once

#include <vector>

#include "linear.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

#if defined(OSTINATO_SMALL_TILES)
// For builds that check each access, in which few values take long; the bits do not depend on it.
constexpr int kSmallChunk = 128, kChunkInputs = 8 * 1024;
#else
/** Positions that make one chunk, whatever their inputs: a tile is done before the next one begins. */
constexpr int kSmallChunk = 1024;
/** Inputs of the positions of a chunk else: they stay in the second cache while all tiles go by. */
constexpr int kChunkInputs = 64 * 1024;
#endif

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
    most_ = std::max(32, std::min(kSmallChunk, total <= kSmallChunk ? total : kChunkInputs / std::max(1, call.allInputs())));
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

}  // namespace OSTINATO_ISA
}  // namespace ostinato
