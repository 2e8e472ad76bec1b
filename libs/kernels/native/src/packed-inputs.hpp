// The left factor of the gradients of kernels: inputs of a chunk of positions, column by column.
#pragma once

#include "leaf-chunks.hpp"
#include "streamed-product.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** The inputs of a chunk's positions, packed for tiles: [⌈I / kTileRows⌉][N][kTileRows], zeros beyond the last. */
class PackedInputs {
 public:
  PackedInputs(const LinearGradient& call, const LeafChunks& chunks, Workspace& workspace)
      : call_(call),
        // Apart by no multiple of a page, or all tiles' would compete for the same lines of the cache.
        stride_(static_cast<std::size_t>(chunks.mostPositions()) * kTileRows + kLanes),
        values_(workspace.floats(stride_ * static_cast<std::size_t>((call.inputs + kTileRows - 1) / kTileRows))) {}

  std::size_t stride() const { return stride_; }

  void pack(const LeafChunk& chunk) const {
    const std::size_t width = static_cast<std::size_t>(call_.inputs);
    float* to = values_;
    for (const LeafSegment& segment : chunk.segments) {
      for (int step = segment.firstStep; step < segment.firstStep + segment.numSteps; step++) {
        const std::size_t position = static_cast<std::size_t>(step) * static_cast<std::size_t>(call_.numRows);
        const float* from = call_.rows + (position + static_cast<std::size_t>(segment.firstRow)) * width;
        for (int row = 0; row < segment.numRows; row++, from += width, to += kTileRows) packPosition(from, to);
      }
    }
  }

  /** As a tile's left factor: inputs from `first` on, a multiple of kTileRows, of the positions from `position` on. */
  LeftFactor of(int first, std::size_t position) const {
    const std::size_t tile = static_cast<std::size_t>(first / kTileRows);
    return {values_ + tile * stride_ + position * kTileRows, 1, kTileRows};
  }

 private:
  void packPosition(const float* from, float* to) const {
    int first = 0;
    // Not copy_n: compilers make a call of it, and none of a copy of set size between arrays that do not overlap.
    for (; first + kTileRows <= call_.inputs; first += kTileRows, to += stride_) {
      std::memcpy(to, from + first, sizeof(float) * kTileRows);
    }
    for (int k = 0; first < call_.inputs && k < kTileRows; k++) to[k] = first + k < call_.inputs ? from[first + k] : 0.0f;
  }

  const LinearGradient& call_;
  const std::size_t stride_;
  float* const values_;
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
