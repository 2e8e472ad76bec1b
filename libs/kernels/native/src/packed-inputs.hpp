// The left factor of the gradients of kernels: inputs of a chunk of positions, column by column.
#pragma once

#include "leaf-chunks.hpp"
#include "streamed-product.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** The inputs of a chunk's positions, packed for tiles: [⌈(I + J) / kTileRows⌉][N][kTileRows], zeros beyond the last. */
class PackedInputs {
 public:
  PackedInputs(const LinearGradient& call, const LeafChunks& chunks, Workspace& workspace)
      : call_(call),
        // Apart by no multiple of a page, or all tiles' would compete for the same lines of the cache.
        stride_(static_cast<std::size_t>(chunks.mostPositions()) * kTileRows + kLanes),
        values_(workspace.floats(stride_ * static_cast<std::size_t>((call.allInputs() + kTileRows - 1) / kTileRows))) {}

  std::size_t stride() const { return stride_; }

  void pack(const LeafChunk& chunk) const {
    const std::size_t width = static_cast<std::size_t>(call_.inputs);
    const std::size_t furtherWidth = static_cast<std::size_t>(call_.furtherInputs);
    float* to = values_;
    for (const LeafSegment& segment : chunk.segments) {
      for (int step = segment.firstStep; step < segment.firstStep + segment.numSteps; step++) {
        const std::size_t position = static_cast<std::size_t>(step) * static_cast<std::size_t>(call_.numRows);
        const std::size_t index = position + static_cast<std::size_t>(segment.firstRow);
        const float* from = call_.rows + index * width;
        const float* further = call_.furtherRows + index * furtherWidth;
        for (int row = 0; row < segment.numRows; row++, from += width, further += furtherWidth, to += kTileRows) {
          packPosition(from, further, to);
        }
      }
    }
  }

  /** As a tile's left factor: inputs from `first` on, a multiple of kTileRows, of the positions from `position` on. */
  LeftFactor of(int first, std::size_t position) const {
    const std::size_t tile = static_cast<std::size_t>(first / kTileRows);
    return {values_ + tile * stride_ + position * kTileRows, 1, kTileRows};
  }

 private:
  void packPosition(const float* from, const float* further, float* to) const {
    const int inputs = call_.inputs, all = call_.allInputs();
    const auto packPartly = [&](int first) {
      float* tile = tileAt(first, to);
      for (int k = first; k < first + kTileRows; k++) *tile++ = k < inputs ? from[k] : k < all ? further[k - inputs] : 0.0f;
    };
    int first = packTiles(from, 0, inputs, to);
    if (first < inputs) {
      // The last inputs and the first further ones.
      packPartly(first);
      first += kTileRows;
    }
    first = inputs + packTiles(further, first - inputs, call_.furtherInputs, tileAt(first, to));
    if (first < all) packPartly(first);
  }

  float* tileAt(int first, float* to) const { return to + static_cast<std::size_t>(first / kTileRows) * stride_; }

  /** Whole tiles of the values from `first` to `end`. @returns the first one that is in none */
  int packTiles(const float* from, int first, int end, float* to) const {
    // Not copy_n: compilers make a call of it, and none of a copy of set size between arrays that do not overlap.
    for (; first + kTileRows <= end; first += kTileRows, to += stride_) {
      std::memcpy(to, from + first, sizeof(float) * kTileRows);
    }
    return first;
  }

  const LinearGradient& call_;
  const std::size_t stride_;
  float* const values_;
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
