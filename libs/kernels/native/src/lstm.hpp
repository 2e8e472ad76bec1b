// Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000): all time steps of a layer.
#pragma once

#include "activations.hpp"
#include "linear.hpp"
#include "sequence-steps.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Units whose gates are computed together: their four gates are the columns of two panels, i f and g o. */
constexpr int kUnits = kLanes;
constexpr int kLstmGates = 4;

inline int unitGroupsOf(int hiddenSize) { return (hiddenSize + kUnits - 1) / kUnits; }

/** Groups that one task takes: a few, so that tasks are not too small. */
constexpr int kGroupsPerTask = 2;

inline int tasksOf(int groups) { return (groups + kGroupsPerTask - 1) / kGroupsPerTask; }

/** The columns of `numGates` gates of a group's units, [K][gates · 16]; for two gates that is a panel. */
inline void packGates(const float* kernel, int inner, int hiddenSize, int numGates, int firstGate,
                      int gatesInAll, int unit, float* panel) {
  const int count = hiddenSize - unit;
  for (int k = 0; k < inner; k++) {
    for (int gate = firstGate; gate < firstGate + numGates; gate++) {
      const std::size_t row = static_cast<std::size_t>(k) * gatesInAll + static_cast<std::size_t>(gate);
      store(panel, loadUpTo(kernel + row * static_cast<std::size_t>(hiddenSize) + unit, count));
      panel += kLanes;
    }
  }
}

/** The units of a group, whose gates are two panels of `kernel`. */
inline void lstmForwardUnits(const LstmForward& call, int t, int group, const RightPanels& kernel,
                             const LeftRows& hidden, float* z) {
  const int unit = group * kUnits;
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize), numRows = static_cast<std::size_t>(call.numRows);
  const std::size_t width = kLstmGates * size, step = static_cast<std::size_t>(t) * numRows;
  const int count = call.hiddenSize - unit;
  constexpr std::size_t kWidth = 2 * kPanelColumns;
  Start inputs{call.inputGates + step * width + unit, width, size};
  if (count < kUnits) {
    // A whole vector would reach beyond the gates.
    for (std::size_t row = 0; row < numRows; row++) {
      for (std::size_t gate = 0; gate < kLstmGates; gate++) {
        store(z + row * kWidth + gate * kLanes, loadFirst(inputs.p + row * width + gate * size, count));
      }
    }
    inputs = {z, kWidth};
  }
  for (int half = 0; half < 2; half++) {
    kernel.product(2 * group + half, hidden, call.numRows, kPanelVectors, inputs.fromVector(2 * half),
                   {z + half * kPanelColumns, kWidth});
  }
  // In two loops: a row by itself is a long chain, of which few fit into what the processor looks ahead.
  for (std::size_t row = 0; row < numRows; row++) {
    float* p = z + row * kWidth;
    const auto [i, f] = quotientsOf(sigmoidFraction(load(p)), sigmoidFraction(load(p + kLanes)));
    const auto [g, o] = quotientsOf(tanhFraction(load(p + 2 * kLanes)), sigmoidFraction(load(p + 3 * kLanes)));
    const std::size_t at = (step + row) * size + static_cast<std::size_t>(unit);
    const Vec16 c = fma(f, loadUpTo(call.cell + at, count), mul(i, g));
    float* gates = call.gates + (step + row) * width + unit;
    storeUpTo(gates, i, count);
    storeUpTo(gates + size, f, count);
    storeUpTo(gates + 2 * size, g, count);
    storeUpTo(gates + 3 * size, o, count);
    storeUpTo(call.cell + at + numRows * size, c, count);
    store(p, c);
    store(p + kLanes, o);
  }
  for (std::size_t row = 0; row < numRows; row++) {
    const float* p = z + row * kWidth;
    const std::size_t at = (step + row) * size + static_cast<std::size_t>(unit);
    const Vec16 activation = tanhOf(load(p));
    storeUpTo(call.cellActivations + at, activation, count);
    storeUpTo(call.hidden + at + numRows * size, mul(load(p + kLanes), activation), count);
  }
}

inline bool lstmForward(const LstmForward& call, const OnTimeSteps& onTimeSteps) {
  const int groups = unitGroupsOf(call.hiddenSize);
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize), numRows = static_cast<std::size_t>(call.numRows);
  const std::size_t scratchSize = numRows * 2 * kPanelColumns;
  Workspace& workspace = freshWorkspace();
  const RightPanels kernel(call.hiddenSize, 2 * groups, workspace);
  const LeftBuffer lefts(call.numRows, call.hiddenSize, workspace);
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(tasksOf(groups)));
  const auto pack = [&](int n) {
    kernel.pack(n, [&](float* panel) {
      const int group = n / 2, half = n % 2;
      packGates(call.recurrentKernel, call.hiddenSize, call.hiddenSize, 2, 2 * half, kLstmGates, group * kUnits, panel);
    });
  };
  parallelFor(kernel.numPanels(), pack);
  for (int t = 0; t < call.numSteps; t++) {
    const LeftRows hidden = lefts.of(call.hidden + static_cast<std::size_t>(t) * numRows * size, size, call.numRows);
    const auto task = [&, t](int n) {
      float* z = scratch + scratchSize * static_cast<std::size_t>(n);
      const int end = std::min(groups, (n + 1) * kGroupsPerTask);
      for (int group = n * kGroupsPerTask; group < end; group++) lstmForwardUnits(call, t, group, kernel, hidden, z);
    };
    parallelFor(tasksOf(groups), task);
    if (isReported(t + 1, call.numSteps) && onTimeSteps && !onTimeSteps(t + 1)) return false;
  }
  return true;
}

/** Backward of `count` units from `unit` on, at one step, from dh of those units. */
OSTINATO_INLINE void lstmBackwardUnits(const LstmBackward& call, std::size_t at, std::size_t row4, int count,
                                       Vec16 dh, float* cellCarry) {
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize);
  const float* gates = call.gates + row4;
  const Vec16 one = broadcast(1.0f);
  const Vec16 i = loadUpTo(gates, count), f = loadUpTo(gates + size, count);
  const Vec16 g = loadUpTo(gates + 2 * size, count), o = loadUpTo(gates + 3 * size, count);
  const Vec16 activation = loadUpTo(call.cellActivations + at, count);
  Vec16 carried = loadUpTo(cellCarry, count);
  if (call.cellGradient != nullptr) carried = add(carried, loadUpTo(call.cellGradient + at, count));
  // (1 − a²) as one fused operation.
  const Vec16 slope = fma(sub(zero(), activation), activation, one);
  const Vec16 dc = fma(mul(dh, o), slope, carried);
  float* out = call.gateGradients + row4;
  const Vec16 before = loadUpTo(call.cell + at, count);
  storeUpTo(out, mul(mul(dc, g), mul(i, sub(one, i))), count);
  storeUpTo(out + size, mul(mul(dc, before), mul(f, sub(one, f))), count);
  storeUpTo(out + 2 * size, mul(mul(dc, i), fma(sub(zero(), g), g, one)), count);
  storeUpTo(out + 3 * size, mul(mul(dh, activation), mul(o, sub(one, o))), count);
  storeUpTo(cellCarry, mul(dc, f), count);
}

inline bool lstmBackward(const LstmBackward& call, const OnTimeSteps& onTimeSteps) {
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize), numRows = static_cast<std::size_t>(call.numRows);
  const std::size_t width = kLstmGates * size;
  const int inner = kLstmGates * call.hiddenSize, panels = panelsOf(call.hiddenSize);
  Workspace& workspace = freshWorkspace();
  const RightPanels kernel = packedKernel(call.recurrentKernel, inner, call.hiddenSize, !call.transposed, workspace);
  const LeftBuffer lefts(call.numRows, inner, workspace);
  const std::size_t scratchSize = numRows * kPanelColumns;
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(panels));
  std::fill_n(call.initialCellGradient, numRows * size, 0.0f);
  LeftRows after{};
  for (int t = call.numSteps - 1; t >= 0; t--) {
    const std::size_t step = static_cast<std::size_t>(t) * numRows;
    const auto task = [&, t, step](int n) {
      const int first = n * kPanelColumns;
      float* dh = scratch + scratchSize * static_cast<std::size_t>(n);
      for (std::size_t row = 0; row < numRows; row++) {
        copyPanelRow(call.hiddenGradient + (step + row) * size + first, call.hiddenSize - first,
                     dh + row * kPanelColumns);
      }
      if (t + 1 < call.numSteps) {
        kernel.product(n, after, call.numRows, vectorsOf(call.hiddenSize - first), {dh, kPanelColumns},
                       {dh, kPanelColumns});
      }
      for (std::size_t row = 0; row < numRows; row++) {
        for (int v = 0; v < kPanelColumns && first + v < call.hiddenSize; v += kLanes) {
          const int unit = first + v;
          lstmBackwardUnits(call, (step + row) * size + unit, (step + row) * width + unit,
                            call.hiddenSize - unit, load(dh + row * kPanelColumns + v),
                            call.initialCellGradient + row * size + unit);
        }
      }
    };
    parallelFor(panels, task);
    after = lefts.of(call.gateGradients + step * width, width, call.numRows);
    const int done = call.numSteps - t;
    if (isReported(done, call.numSteps) && onTimeSteps && !onTimeSteps(done)) return false;
  }
  const auto first = [&](int n) {
    const int column = n * kPanelColumns, count = std::min(kPanelColumns, call.hiddenSize - column);
    float* dh = scratch + scratchSize * static_cast<std::size_t>(n);
    kernel.product(n, after, call.numRows, vectorsOf(count), {nullptr, 0}, {dh, kPanelColumns});
    writeTile(dh, call.numRows, count, call.initialHiddenGradient + column, size);
  };
  if (call.numSteps > 0) {
    parallelFor(panels, first);
  } else {
    std::fill_n(call.initialHiddenGradient, numRows * size, 0.0f);
  }
  return true;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
