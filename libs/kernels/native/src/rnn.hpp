// Elman (1990), with tanh or relu: all time steps of a layer.
#pragma once

#include "activations.hpp"
#include "sequence-steps.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** max(0, x); not a number stays so. */
OSTINATO_INLINE Vec16 reluOf(Vec16 x) { return larger(zero(), x); }

/** gradient where y is above 0, else 0; not a number where y is not. */
OSTINATO_INLINE Vec16 throughRelu(Vec16 y, Vec16 gradient) {
  return fma(zero(), clamped(y, 0.0f, 1.0f), positiveOrZero(y, gradient));
}

inline void rnnForwardUnits(const RnnForward& call, int t, int n, const RightPanels& kernel, const LeftRows& hidden,
                            float* z) {
  const PanelUnits units(n, call.hiddenSize);
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize);
  const std::size_t numRows = static_cast<std::size_t>(call.numRows), step = static_cast<std::size_t>(t) * numRows;
  const std::size_t from = step * size + static_cast<std::size_t>(units.first);
  const Tile sums{z, kPanelColumns};
  const Start inputs = startFromUnits(call.inputGates + from, size, call.numRows, units, sums);
  kernel.product(n, hidden, call.numRows, units.vectors(), inputs, sums);
  for (std::size_t row = 0; row < numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int lanes = units.count - v;
      const std::size_t at = from + row * size + static_cast<std::size_t>(v);
      const Vec16 x = load(z + row * kPanelColumns + v);
      const Vec16 a = call.activation == RnnActivation::tanh ? tanhOf(x) : reluOf(x);
      if (call.activations != nullptr) storeUpTo(call.activations + at, a, lanes);
      const float* keep = call.keep == nullptr ? nullptr : call.keep + at;
      const Vec16 before = loadUpTo(call.hidden + at, lanes);
      storeUpTo(call.hidden + at + numRows * size, zonedOut(keep, lanes, before, a), lanes);
    }
  }
}

inline bool rnnForward(const RnnForward& call, const OnTimeSteps& onTimeSteps) {
  const int panels = panelsOf(call.hiddenSize);
  const std::size_t scratchSize = static_cast<std::size_t>(call.numRows) * kPanelColumns;
  Workspace& workspace = freshWorkspace();
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize);
  const RightPanels kernel = packedKernel(call.recurrentKernel, call.hiddenSize, call.hiddenSize, false, workspace);
  const LeftBuffer lefts(call.numRows, call.hiddenSize, workspace);
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(panels));
  for (int t = 0; t < call.numSteps; t++) {
    const std::size_t step = static_cast<std::size_t>(t) * static_cast<std::size_t>(call.numRows);
    const LeftRows hidden = lefts.of(call.hidden + step * size, size, call.numRows);
    const auto task = [&, t](int n) {
      rnnForwardUnits(call, t, n, kernel, hidden, scratch + scratchSize * static_cast<std::size_t>(n));
    };
    parallelFor(panels, task);
    if (isReported(t + 1, call.numSteps) && onTimeSteps && !onTimeSteps(t + 1)) return false;
  }
  return true;
}

/** `carry` holds what step t + 1 passed back to these units beside its product; then what step t does. */
inline void rnnBackwardUnits(const RnnBackward& call, int t, int n, const RightPanels& kernel, const LeftRows& after,
                             float* carry, float* dh) {
  const PanelUnits units(n, call.hiddenSize);
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize);
  const std::size_t numRows = static_cast<std::size_t>(call.numRows), step = static_cast<std::size_t>(t) * numRows;
  const std::size_t from = step * size + static_cast<std::size_t>(units.first);
  startFromSums(call.hiddenGradient + from, carry, size, call.numRows, units, dh);
  const Tile sums{dh, kPanelColumns};
  if (t + 1 < call.numSteps) kernel.product(n, after, call.numRows, units.vectors(), {dh, kPanelColumns}, sums);
  for (std::size_t row = 0; row < numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int lanes = units.count - v;
      const std::size_t at = from + row * size + static_cast<std::size_t>(v);
      const float* keep = call.keep == nullptr ? nullptr : call.keep + at;
      const auto [before, through] = zoneoutGradients(keep, lanes, load(dh + row * kPanelColumns + v));
      const Vec16 y = loadUpTo(call.activations + at, lanes);
      const bool isTanh = call.activation == RnnActivation::tanh;
      storeUpTo(call.gateGradients + at, isTanh ? mul(through, tanhSlope(y)) : throughRelu(y, through), lanes);
      storeUpTo(carry + row * size + v, before, lanes);
    }
  }
}

inline bool rnnBackward(const RnnBackward& call, const OnTimeSteps& onTimeSteps) {
  const int panels = panelsOf(call.hiddenSize);
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize);
  const std::size_t numRows = static_cast<std::size_t>(call.numRows), scratchSize = numRows * kPanelColumns;
  Workspace& workspace = freshWorkspace();
  const RightPanels kernel =
      packedKernel(call.recurrentKernel, call.hiddenSize, call.hiddenSize, !call.transposed, workspace);
  const LeftBuffer lefts(call.numRows, call.hiddenSize, workspace);
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(panels));
  float* carry = call.initialHiddenGradient;
  std::fill_n(carry, numRows * size, 0.0f);
  LeftRows after{};
  for (int t = call.numSteps - 1; t >= 0; t--) {
    const auto task = [&, t](int n) {
      rnnBackwardUnits(call, t, n, kernel, after, carry + PanelUnits(n, call.hiddenSize).first,
                       scratch + scratchSize * static_cast<std::size_t>(n));
    };
    parallelFor(panels, task);
    after = lefts.of(call.gateGradients + static_cast<std::size_t>(t) * numRows * size, size, call.numRows);
    const int done = call.numSteps - t;
    if (isReported(done, call.numSteps) && onTimeSteps && !onTimeSteps(done)) return false;
  }
  if (call.numSteps == 0) return true;
  const auto first = [&](int n) {
    productOfPanel(after, kernel, n, call.numRows, call.hiddenSize, carry, carry,
                   scratch + scratchSize * static_cast<std::size_t>(n));
  };
  parallelFor(panels, first);
  return true;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
