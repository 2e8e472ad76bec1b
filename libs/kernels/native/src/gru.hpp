// Cho et al. (2014), and the form of cuDNN and PyTorch that resets after the product: all time steps of a
// layer. Units go in panels of 32, one panel for each gate.
#pragma once

#include "activations.hpp"
#include "sequence-steps.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

constexpr int kGruGates = 3;
constexpr std::size_t kGruWidth = kGruGates * kPanelColumns;

/** Sizes and offsets of one step. */
struct GruStep {
  std::size_t size, numRows, width, step;

  GruStep(int hiddenSize, int rows, int t)
      : size(static_cast<std::size_t>(hiddenSize)),
        numRows(static_cast<std::size_t>(rows)),
        width(kGruGates * size),
        step(static_cast<std::size_t>(t) * numRows) {}
  /** Of a unit in [T,B,H]. */
  std::size_t unitAt(std::size_t row, int unit) const {
    return (step + row) * size + static_cast<std::size_t>(unit);
  }
  /** Of a unit's gate r in [T,B,3H]. */
  std::size_t gateAt(std::size_t row, int unit) const {
    return (step + row) * width + static_cast<std::size_t>(unit);
  }
};

/** What a step of the n-th units needs: the panels of gate r, z, n are 3n, 3n + 1 and 3n + 2. */
struct GruPanels {
  const RightPanels& kernel;
  const LeftRows& left;
  int n;
};

/** inputGates + left·U of one gate's units → sums [B][kGruWidth]. */
inline void gruGateSums(const GruForward& call, const GruStep& at, const GruPanels& of, int gate,
                        const PanelUnits& units, float* sums) {
  const Tile tile{sums, kGruWidth};
  const float* inputs = call.inputGates + at.gateAt(0, units.first) + static_cast<std::size_t>(gate) * at.size;
  of.kernel.product(kGruGates * of.n + gate, of.left, call.numRows, units.vectors(),
                    startFromUnits(inputs, at.width, call.numRows, units, tile), tile);
}

/** h' = (1−z)∘n + z∘h of up to 16 units, and what zoneout makes of it. */
OSTINATO_INLINE void gruNewState(const GruForward& call, const GruStep& at, std::size_t row, int unit, int lanes,
                                 Vec16 h, Vec16 z, Vec16 n) {
  const std::size_t place = at.unitAt(row, unit);
  const Vec16 after = fma(z, h, mul(sub(broadcast(1.0f), z), n));
  const float* keep = call.keep == nullptr ? nullptr : call.keep + place;
  storeUpTo(call.gates + at.gateAt(row, unit) + 2 * at.size, n, lanes);
  storeUpTo(call.hidden + place + at.numRows * at.size, zonedOut(keep, lanes, h, after), lanes);
}

/** A whole step of the units; `bias` is a panel's row. */
inline void gruForwardResetAfter(const GruForward& call, const GruStep& at, const GruPanels& of, const float* bias,
                                 float* sums) {
  const PanelUnits units(of.n, call.hiddenSize);
  for (int gate = 0; gate < 2; gate++) gruGateSums(call, at, of, gate, units, sums + kPanelColumns * gate);
  of.kernel.product(kGruGates * of.n + 2, of.left, call.numRows, units.vectors(), {bias, 0},
                    {sums + 2 * kPanelColumns, kGruWidth});
  // In two loops: a row by itself is a long chain, of which few fit into what the processor looks ahead.
  for (std::size_t row = 0; row < at.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int unit = units.first + v, lanes = units.count - v;
      float* p = sums + row * kGruWidth + v;
      float* gates = call.gates + at.gateAt(row, unit);
      const auto [r, z] = quotientsOf(sigmoidFraction(load(p)), sigmoidFraction(load(p + kPanelColumns)));
      storeUpTo(gates, r, lanes);
      storeUpTo(gates + at.size, z, lanes);
      storeUpTo(call.candidates + at.unitAt(row, unit), load(p + 2 * kPanelColumns), lanes);
      store(p, r);
      store(p + kPanelColumns, z);
    }
  }
  for (std::size_t row = 0; row < at.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int unit = units.first + v, lanes = units.count - v;
      const float* p = sums + row * kGruWidth + v;
      const Vec16 inputs = loadUpTo(call.inputGates + at.gateAt(row, unit) + 2 * at.size, lanes);
      const Vec16 n = tanhOf(fma(load(p), load(p + 2 * kPanelColumns), inputs));
      const Vec16 h = loadUpTo(call.hidden + at.unitAt(row, unit), lanes);
      gruNewState(call, at, row, unit, lanes, h, load(p + kPanelColumns), n);
    }
  }
}

/** r, z and r∘h of the units. */
inline void gruForwardGates(const GruForward& call, const GruStep& at, const GruPanels& of, float* sums) {
  const PanelUnits units(of.n, call.hiddenSize);
  for (int gate = 0; gate < 2; gate++) gruGateSums(call, at, of, gate, units, sums + kPanelColumns * gate);
  for (std::size_t row = 0; row < at.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int unit = units.first + v, lanes = units.count - v;
      const float* p = sums + row * kGruWidth + v;
      const std::size_t place = at.unitAt(row, unit);
      float* gates = call.gates + at.gateAt(row, unit);
      const auto [r, z] = quotientsOf(sigmoidFraction(load(p)), sigmoidFraction(load(p + kPanelColumns)));
      storeUpTo(gates, r, lanes);
      storeUpTo(gates + at.size, z, lanes);
      storeUpTo(call.candidates + place, mul(r, loadUpTo(call.hidden + place, lanes)), lanes);
    }
  }
}

/** n and h' of the units, once r∘h of all units is there. */
inline void gruForwardCandidates(const GruForward& call, const GruStep& at, const GruPanels& of, float* sums) {
  const PanelUnits units(of.n, call.hiddenSize);
  gruGateSums(call, at, of, 2, units, sums);
  for (std::size_t row = 0; row < at.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int unit = units.first + v, lanes = units.count - v;
      const Vec16 n = tanhOf(load(sums + row * kGruWidth + v));
      const Vec16 z = loadUpTo(call.gates + at.gateAt(row, unit) + at.size, lanes);
      const Vec16 h = loadUpTo(call.hidden + at.unitAt(row, unit), lanes);
      gruNewState(call, at, row, unit, lanes, h, z, n);
    }
  }
}

inline bool gruForward(const GruForward& call, const OnTimeSteps& onTimeSteps) {
  const int panels = panelsOf(call.hiddenSize);
  const std::size_t numPanels = static_cast<std::size_t>(panels), size = static_cast<std::size_t>(call.hiddenSize);
  const std::size_t scratchSize = static_cast<std::size_t>(call.numRows) * kGruWidth;
  Workspace& workspace = freshWorkspace();
  const RightPanels kernel(call.hiddenSize, kGruGates * panels, workspace);
  const LeftBuffer lefts(call.numRows, call.hiddenSize, workspace);
  float* scratch = workspace.floats(scratchSize * numPanels);
  float* biases = call.candidateBias == nullptr ? nullptr : workspace.floats(kPanelColumns * numPanels);
  const auto sumsAt = [&](int n) { return scratch + scratchSize * static_cast<std::size_t>(n); };
  const auto biasAt = [&](int n) { return biases == nullptr ? nullptr : biases + n * kPanelColumns; };
  const auto pack = [&](int n) {
    const PanelUnits units(n, call.hiddenSize);
    for (int gate = 0; gate < kGruGates; gate++) {
      kernel.pack(kGruGates * n + gate, [&](float* panel) {
        packPanel(call.recurrentKernel, kGruGates * size, call.hiddenSize, gate * call.hiddenSize + units.first,
                  units.count, panel);
      });
    }
    if (biases != nullptr) copyPanelRow(call.candidateBias + units.first, units.count, biasAt(n));
  };
  parallelFor(panels, pack);
  for (int t = 0; t < call.numSteps; t++) {
    const GruStep at(call.hiddenSize, call.numRows, t);
    const LeftRows hidden = lefts.of(call.hidden + at.unitAt(0, 0), size, call.numRows);
    const auto gates = [&](int n) {
      if (call.resetAfter) {
        gruForwardResetAfter(call, at, {kernel, hidden, n}, biasAt(n), sumsAt(n));
      } else {
        gruForwardGates(call, at, {kernel, hidden, n}, sumsAt(n));
      }
    };
    parallelFor(panels, gates);
    if (!call.resetAfter) {
      const LeftRows reset = lefts.of(call.candidates + at.unitAt(0, 0), size, call.numRows);
      const auto candidates = [&](int n) { gruForwardCandidates(call, at, {kernel, reset, n}, sumsAt(n)); };
      parallelFor(panels, candidates);
    }
    if (isReported(t + 1, call.numSteps) && onTimeSteps && !onTimeSteps(t + 1)) return false;
  }
  return true;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
