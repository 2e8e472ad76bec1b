// Backward through all time steps of a GRU layer, in both forms.
#pragma once

#include "gru.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/**
 * A step's n-th units: `carry` [B,H], what step t + 1 passed back to them beside its product and then what
 * step t does; scratch [B][32].
 */
struct GruUnits {
  int n;
  PanelUnits units;
  float* carry;
  float* dh;
};

/** The gradients of z and n, and of r with `resetAfter`, from that of h'. */
OSTINATO_INLINE void gruGateGradients(const GruBackward& call, const GruStep& at, std::size_t row, int unit,
                                      int lanes, Vec16 dh, float* carry) {
  const std::size_t place = at.unitAt(row, unit), gate = at.gateAt(row, unit);
  const float* gates = call.gates + gate;
  const Vec16 z = loadUpTo(gates + at.size, lanes), n = loadUpTo(gates + 2 * at.size, lanes);
  const float* keep = call.keep == nullptr ? nullptr : call.keep + place;
  const auto [before, after] = zoneoutGradients(keep, lanes, dh);
  const Vec16 dz = mul(mul(after, sub(loadUpTo(call.hidden + place, lanes), n)), sigmoidSlope(z));
  const Vec16 dn = mul(mul(after, sub(broadcast(1.0f), z)), tanhSlope(n));
  storeUpTo(carry, fma(after, z, before), lanes);
  float* out = call.gateGradients + gate;
  storeUpTo(out + at.size, dz, lanes);
  storeUpTo(out + 2 * at.size, dn, lanes);
  if (!call.resetAfter) return;
  const Vec16 r = loadUpTo(gates, lanes);
  const Vec16 dr = mul(mul(dn, loadUpTo(call.candidates + place, lanes)), sigmoidSlope(r));
  float* recurrent = call.recurrentGradients + gate;
  storeUpTo(out, dr, lanes);
  storeUpTo(recurrent, dr, lanes);
  storeUpTo(recurrent + at.size, dz, lanes);
  storeUpTo(recurrent + 2 * at.size, mul(dn, r), lanes);
}

/** What step t passed back through the recurrent products but that of the candidates before their reset. */
inline const float* gruProductGradients(const GruBackward& call, const GruStep& at) {
  return (call.resetAfter ? call.recurrentGradients : call.gateGradients) + at.gateAt(0, 0);
}

inline int gruProductInner(const GruBackward& call) { return (call.resetAfter ? 3 : 2) * call.hiddenSize; }

/** @param after what step t + 1 passed back; `isLast`: there is no such step. */
inline void gruBackwardUnits(const GruBackward& call, const GruStep& at, bool isLast, const RightPanels& kernel,
                             const LeftRows& after, const GruUnits& of) {
  const PanelUnits& units = of.units;
  startFromSums(call.hiddenGradient + at.unitAt(0, units.first), of.carry, at.size, call.numRows, units, of.dh);
  if (!isLast) {
    kernel.product(of.n, after, call.numRows, units.vectors(), {of.dh, kPanelColumns}, {of.dh, kPanelColumns});
  }
  for (std::size_t row = 0; row < at.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      gruGateGradients(call, at, row, units.first + v, units.count - v, load(of.dh + row * kPanelColumns + v),
                       of.carry + row * at.size + v);
    }
  }
}

/** The gradient of r, once that of n of all units is there, where the reset comes before the product. */
inline void gruBackwardReset(const GruBackward& call, const GruStep& at, const RightPanels& candidateKernel,
                             const LeftRows& dn, const GruUnits& of) {
  const PanelUnits& units = of.units;
  candidateKernel.product(of.n, dn, call.numRows, units.vectors(), {nullptr, 0}, {of.dh, kPanelColumns});
  for (std::size_t row = 0; row < at.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int unit = units.first + v, lanes = units.count - v;
      const std::size_t gate = at.gateAt(row, unit);
      const Vec16 ofReset = load(of.dh + row * kPanelColumns + v);
      const Vec16 r = loadUpTo(call.gates + gate, lanes);
      const Vec16 h = loadUpTo(call.hidden + at.unitAt(row, unit), lanes);
      float* carry = of.carry + row * at.size + v;
      storeUpTo(call.gateGradients + gate, mul(mul(ofReset, h), sigmoidSlope(r)), lanes);
      storeUpTo(carry, fma(ofReset, r, loadUpTo(carry, lanes)), lanes);
    }
  }
}

inline bool gruBackward(const GruBackward& call, const OnTimeSteps& onTimeSteps) {
  const int panels = panelsOf(call.hiddenSize), inner = gruProductInner(call);
  const std::size_t size = static_cast<std::size_t>(call.hiddenSize);
  const std::size_t numRows = static_cast<std::size_t>(call.numRows), scratchSize = numRows * kPanelColumns;
  Workspace& workspace = freshWorkspace();
  // [U_r U_z U_n]ᵀ, or [U_r U_z]ᵀ and U_nᵀ where the reset comes before the product.
  const RightPanels kernel(inner, panels, workspace);
  const RightPanels candidateKernel(call.hiddenSize, call.resetAfter ? 0 : panels, workspace);
  const auto packAt = [&](int n) {
    const PanelUnits units(n, call.hiddenSize);
    const auto packRows = [&](int firstRow, int rows) {
      return [&, firstRow, rows](float* panel) {
        const std::size_t first = static_cast<std::size_t>(firstRow);
        if (call.transposed) {
          packPanel(call.recurrentKernel + first * size, size, rows, units.first, units.count, panel);
        } else {
          packTransposedPanel(call.recurrentKernel + first, kGruGates * size, rows, units.first, units.count, panel);
        }
      };
    };
    kernel.pack(n, packRows(0, inner));
    if (!call.resetAfter) candidateKernel.pack(n, packRows(inner, call.hiddenSize));
  };
  parallelFor(panels, packAt);
  const LeftBuffer lefts(call.numRows, inner, workspace);
  const LeftBuffer candidateLefts(call.resetAfter ? 0 : call.numRows, call.hiddenSize, workspace);
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(panels));
  float* carry = call.initialHiddenGradient;
  std::fill_n(carry, numRows * size, 0.0f);
  const auto unitsAt = [&](int n) -> GruUnits {
    const PanelUnits units(n, call.hiddenSize);
    return {n, units, carry + units.first, scratch + scratchSize * static_cast<std::size_t>(n)};
  };
  LeftRows after{};
  for (int t = call.numSteps - 1; t >= 0; t--) {
    const GruStep at(call.hiddenSize, call.numRows, t);
    const bool isLast = t + 1 == call.numSteps;
    const auto gates = [&](int n) { gruBackwardUnits(call, at, isLast, kernel, after, unitsAt(n)); };
    parallelFor(panels, gates);
    if (!call.resetAfter) {
      const float* gradients = call.gateGradients + at.gateAt(0, 0) + 2 * size;
      const LeftRows dn = candidateLefts.of(gradients, at.width, call.numRows);
      const auto reset = [&](int n) { gruBackwardReset(call, at, candidateKernel, dn, unitsAt(n)); };
      parallelFor(panels, reset);
    }
    after = lefts.of(gruProductGradients(call, at), at.width, call.numRows);
    const int done = call.numSteps - t;
    if (isReported(done, call.numSteps) && onTimeSteps && !onTimeSteps(done)) return false;
  }
  if (call.numSteps == 0) return true;
  const auto first = [&](int n) {
    productOfPanel(after, kernel, n, call.numRows, call.hiddenSize, carry, carry, unitsAt(n).dh);
  };
  parallelFor(panels, first);
  return true;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
