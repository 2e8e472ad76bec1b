// The right factor of products with the same inner size, packed once in the precision that is selected, and
// the left factors that it is multiplied with.
#pragma once

#include <vector>

#include "bfloat16/product.hpp"
#include "ostinato/kernels.hpp"
#include "streamed-product.hpp"
#include "thread-pool.hpp"
#include "workspace.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Inner indices of a panel that stay in the second cache; more are taken one such block after another. */
constexpr int kInnerBlock = 1024;

/** Whole rows [rows,K] × a panel [K][32], in blocks of the inner index; then `next`, as large, is used. */
inline void blockedRowProduct(const LeftFactor& left, int rows, int vectors, const float* panel, int inner,
                              const Start& start, const Tile& out, const float* next) {
  Start from = start;
  for (int done = 0; done < inner || done == 0; done += kInnerBlock) {
    const int count = std::min(kInnerBlock, inner - done);
    LeftFactor part = left;
    part.p += done;
    const float* block = panel + static_cast<std::size_t>(done) * kPanelColumns;
    const bool isLast = done + count >= inner;
    rowProduct(part, rows, vectors, block, count, from, out,
               isLast ? next : block + static_cast<std::size_t>(kInnerBlock) * kPanelColumns);
    from = {out.p, out.rowStride};
  }
}

/** Bfloat16 values of a workspace. */
inline Bfloat16* bfloat16Values(Workspace& workspace, std::size_t count) {
  return reinterpret_cast<Bfloat16*>(workspace.floats((count + 1) / 2));
}

/** Values that one task rounds, about. */
constexpr int kRoundedByTask = 1 << 14;

/** Some inner indices of a product, the first a multiple of 32. */
struct InnerRange {
  int first, count;
};

/** A left factor: in place, or its rounded copy. */
struct LeftRows {
  LeftFactor floats;
  Bfloat16Left rounded{nullptr, 0};

  LeftRows fromRow(int row) const {
    return {floats.fromRow(row), rounded.p == nullptr ? rounded : rounded.fromRow(row)};
  }
};

/** Where left factors of up to `numRows` rows are rounded to, one after the other; in float32 nothing. */
class LeftBuffer {
 public:
  /** @param precision that of the call, whose thread a task may not be on */
  LeftBuffer(int numRows, int inner, Workspace& workspace, Precision precision = productPrecision())
      : inner_(inner), blocks_(bfloat16Blocks(inner)) {
    if (precision == Precision::float32) return;
    rounded_ = bfloat16Values(workspace, Bfloat16Left::sizeFor(numRows, blocks_));
    blockStride_ = bfloat16Rows(numRows) * kBfloat16Block;
  }

  /** Of rows that are not in blocks, by the calling thread and its helpers. */
  LeftRows of(const float* rows, std::size_t rowStride, int numRows) const {
    if (rounded_ == nullptr) return {{rows, rowStride}};
    const int perTask = std::max(1, kRoundedByTask / std::max(1, inner_));
    const auto task = [&](int n) {
      packBfloat16Rows(rows, rowStride, n * perTask, std::min(numRows, (n + 1) * perTask), inner_, rounded_, blockStride_);
    };
    parallelFor((numRows + perTask - 1) / perTask, task);
    return {{rows, rowStride}, {rounded_, blockStride_}};
  }

  /** The same by the calling thread alone: from a task. */
  LeftRows ofTask(const float* rows, std::size_t rowStride, int numRows) const {
    if (rounded_ != nullptr) packBfloat16Rows(rows, rowStride, 0, numRows, inner_, rounded_, blockStride_);
    return {{rows, rowStride}, {rounded_, blockStride_}};
  }

 private:
  const int inner_, blocks_;
  Bfloat16* rounded_ = nullptr;
  std::size_t blockStride_ = 0;
};

class RightPanels {
 public:
  /** @param precision that of the call, whose thread a task may not be on */
  RightPanels(int inner, int numPanels, Workspace& workspace, Precision precision = productPrecision())
      : inner_(inner),
        blocks_(bfloat16Blocks(inner)),
        numPanels_(numPanels),
        isBfloat16_(precision == Precision::bfloat16) {
    const std::size_t size = isBfloat16_ ? static_cast<std::size_t>(blocks_) * kPanelBlockPairs
                                         : static_cast<std::size_t>(inner) * kPanelColumns;
    panelSize_ = size;
    packed_ = workspace.floats(size * static_cast<std::size_t>(numPanels));
  }

  int inner() const { return inner_; }
  int numPanels() const { return numPanels_; }

  /** @param write writes the n-th panel [inner][32], columns beyond the last as zeros. */
  template <class Write>
  void pack(int n, const Write& write) const {
    float* panel = packed_ + static_cast<std::size_t>(n) * panelSize_;
    if (!isBfloat16_) {
      write(panel);
      return;
    }
    static thread_local std::vector<float> floats;
    floats.resize(static_cast<std::size_t>(inner_) * kPanelColumns);
    write(floats.data());
    packBfloat16Panel(floats.data(), inner_, reinterpret_cast<std::uint32_t*>(panel));
  }

  /** All panels of a matrix [inner,columns], or with `transposed` [columns,inner]. */
  void packAll(const float* matrix, int columns, bool transposed) const {
    const auto task = [&](int n) {
      const int first = n * kPanelColumns, count = std::min(kPanelColumns, columns - first);
      pack(n, [&](float* panel) {
        if (transposed) {
          packTransposedPanel(matrix, static_cast<std::size_t>(inner_), inner_, first, count, panel);
        } else {
          packPanel(matrix, static_cast<std::size_t>(columns), inner_, first, count, panel);
        }
      });
    };
    parallelFor(numPanels_, task);
  }

  /**
   * Whole rows × the first vectors of the n-th panel, the n + 1-st being next; in bfloat16 always both vectors,
   * which `start` has and `out` has room for. `out` may be `start`.
   */
  void product(int n, const LeftRows& left, int rows, int vectors, const Start& start, const Tile& out) const {
    const float* panel = packed_ + static_cast<std::size_t>(n) * panelSize_;
    if (isBfloat16_) {
      bfloat16Product(left.rounded, rows, reinterpret_cast<const std::uint32_t*>(panel), blocks_, start, out);
    } else {
      const float* next = n + 1 < numPanels_ ? panel + panelSize_ : packed_;
      blockedRowProduct(left.floats, rows, vectors, panel, inner_, start, out, next);
    }
  }

  /** The share of some inner indices, for a left factor in blocks of 32: products of all of them in order are one. */
  void partOfProduct(int n, const InnerRange& range, const LeftRows& left, int rows, int vectors, const Start& start,
                     const Tile& out) const {
    const float* panel = packed_ + static_cast<std::size_t>(n) * panelSize_;
    const std::size_t block = static_cast<std::size_t>(range.first / kBfloat16Block);
    if (isBfloat16_) {
      bfloat16Product(left.rounded.fromBlock(static_cast<int>(block)), rows,
                      reinterpret_cast<const std::uint32_t*>(panel) + block * kPanelBlockPairs,
                      bfloat16Blocks(range.count), start, out);
      return;
    }
    LeftFactor part = left.floats;
    part.p += block * part.blockStride;
    panelProduct(part, rows, vectors, panel + static_cast<std::size_t>(range.first) * kPanelColumns, range.count, start, out);
  }

 private:
  const int inner_, blocks_, numPanels_;
  const bool isBfloat16_;
  std::size_t panelSize_;
  float* packed_;
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
