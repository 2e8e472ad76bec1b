// What the recurrent sequences have in common: their units in panels of 32, and the state that zoneout keeps.
#pragma once

#include "linear.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

inline bool isReported(int done, int total) { return done % kTimeStepsPerReport == 0 || done == total; }

/** The units that the n-th task takes: those of the n-th panel. */
struct PanelUnits {
  int first, count;

  PanelUnits(int n, int hiddenSize)
      : first(n * kPanelColumns), count(std::min(kPanelColumns, hiddenSize - first)) {}
  int vectors() const { return vectorsOf(count); }
};

/**
 * The columns of a panel's units at p, as what sums start from: by way of `copy` where a whole panel's would
 * reach beyond them.
 */
inline Start startFromUnits(const float* p, std::size_t stride, int rows, const PanelUnits& units,
                            const Tile& copy) {
  if (units.count == kPanelColumns) return {p, stride};
  for (int row = 0; row < rows; row++) {
    copyPanelRow(p + static_cast<std::size_t>(row) * stride, units.count,
                 copy.p + static_cast<std::size_t>(row) * copy.rowStride);
  }
  return {copy.p, copy.rowStride};
}

/** dh of a step's units: what reads the output, what step t + 1 passes back beside its product. */
inline void startFromSums(const float* gradient, const float* carry, std::size_t stride, int rows,
                          const PanelUnits& units, float* sums) {
  for (int row = 0; row < rows; row++) {
    const std::size_t at = static_cast<std::size_t>(row) * stride;
    for (int v = 0; v < units.count; v += kLanes) {
      const int lanes = units.count - v;
      store(sums + v, add(loadUpTo(gradient + at + v, lanes), loadUpTo(carry + at + v, lanes)));
    }
    sums += kPanelColumns;
  }
}

/** @param kernel [inner,columns], or with `transposed` [columns,inner] */
inline RightPanels packedKernel(const float* kernel, int inner, int columns, bool transposed, Workspace& workspace) {
  const RightPanels packed(inner, panelsOf(columns), workspace);
  packed.packAll(kernel, columns, transposed);
  return packed;
}

/**
 * The columns of the n-th panel of left [B,inner] × a kernel [inner,columns] + from [B,columns] (nullptr: none)
 * → out, which may be `from`; scratch [B][32].
 */
inline void productOfPanel(const LeftRows& left, const RightPanels& kernel, int n, int rows, int columns,
                           const float* from, float* out, float* scratch) {
  const PanelUnits units(n, columns);
  const std::size_t stride = static_cast<std::size_t>(columns);
  const bool isWhole = units.count == kPanelColumns;
  const Tile tile = isWhole ? Tile{out + units.first, stride} : Tile{scratch, kPanelColumns};
  const Start start = from == nullptr ? Start{nullptr, 0}
                                      : startFromUnits(from + units.first, stride, rows, units, tile);
  kernel.product(n, left, rows, units.vectors(), start, tile);
  if (!isWhole) writeTile(scratch, rows, units.count, out + units.first, stride);
}

/** k∘before + (1 − k)∘after; `after` without k. */
OSTINATO_INLINE Vec16 zonedOut(const float* keep, int lanes, Vec16 before, Vec16 after) {
  if (keep == nullptr) return after;
  const Vec16 k = loadUpTo(keep, lanes);
  return fma(k, before, mul(sub(broadcast(1.0f), k), after));
}

/** The shares of a mixed state's gradient that go to the state before and to the new one. */
struct ZoneoutGradients {
  Vec16 before, after;
};

OSTINATO_INLINE ZoneoutGradients zoneoutGradients(const float* keep, int lanes, Vec16 gradient) {
  if (keep == nullptr) return {zero(), gradient};
  const Vec16 k = loadUpTo(keep, lanes);
  return {mul(k, gradient), mul(sub(broadcast(1.0f), k), gradient)};
}

/** y·(1 − y), the slope of σ where it is y. */
OSTINATO_INLINE Vec16 sigmoidSlope(Vec16 y) { return mul(y, sub(broadcast(1.0f), y)); }

/** 1 − y², the slope of tanh where it is y. */
OSTINATO_INLINE Vec16 tanhSlope(Vec16 y) { return fma(sub(zero(), y), y, broadcast(1.0f)); }

}  // namespace OSTINATO_ISA
}  // namespace ostinato
