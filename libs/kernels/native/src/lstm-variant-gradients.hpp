// Backward through all time steps of the LSTM with options.
#pragma once

#include "lstm-variant.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** The gradient of tanh's input of up to 16 units, from that of o∘tanh; that of o goes to the gates. */
OSTINATO_INLINE Vec16 lstmVariantOutputGradient(const LstmVariantBackward& call, const LstmVariantSizes& sizes,
                                                std::size_t position, int unit, int lanes, Vec16 dm) {
  const std::size_t gate = position * sizes.width + sizes.oColumn + static_cast<std::size_t>(unit);
  const Vec16 o = loadUpTo(call.gates + gate, lanes);
  const Vec16 activation = loadUpTo(call.cellActivations + position * sizes.hidden + unit, lanes);
  storeUpTo(call.gateGradients + gate, mul(mul(dm, activation), sigmoidSlope(o)), lanes);
  return mul(mul(dm, o), tanhSlope(activation));
}

/**
 * The gradients of i, f and g of up to 16 units, from that of c̃ by way of tanh; `carry`, what step t + 1
 * passed back to the cell, becomes what step t does.
 */
OSTINATO_INLINE void lstmVariantCellGradient(const LstmVariantBackward& call, const LstmVariantSizes& sizes,
                                             std::size_t position, int unit, int lanes, Vec16 throughTanh,
                                             float* carry) {
  const LstmVariantOptions& options = call.options;
  const std::size_t at = position * sizes.hidden + static_cast<std::size_t>(unit);
  const std::size_t gate = position * sizes.width + static_cast<std::size_t>(unit);
  const float* gates = call.gates + gate;
  float* out = call.gateGradients + gate;
  const float* peephole = offsetOf(options.peephole, static_cast<std::size_t>(unit));
  Vec16 dc = loadUpTo(carry, lanes);
  if (call.cellGradient != nullptr) dc = add(dc, loadUpTo(call.cellGradient + at, lanes));
  const auto [kept, taken] = zoneoutGradients(offsetOf(options.keepCell, at), lanes, dc);
  const Vec16 d = peeped(offsetOf(peephole, sizes.oRow), lanes, loadUpTo(out + sizes.oColumn, lanes),
                         add(taken, throughTanh));
  const Vec16 one = broadcast(1.0f), before = loadUpTo(call.cell + at, lanes);
  const Vec16 i = loadUpTo(gates, lanes), g = loadUpTo(gates + sizes.gColumn, lanes);
  const Vec16 f = options.coupledGates ? sub(one, i) : loadUpTo(gates + sizes.hidden, lanes);
  const Vec16 di = mul(mul(d, options.coupledGates ? sub(g, before) : g), sigmoidSlope(i));
  storeUpTo(out, di, lanes);
  storeUpTo(out + sizes.gColumn, mul(mul(d, i), tanhSlope(g)), lanes);
  Vec16 passed = peeped(peephole, lanes, di, fma(d, f, kept));
  if (!options.coupledGates) {
    const Vec16 df = mul(mul(d, before), sigmoidSlope(f));
    storeUpTo(out + sizes.hidden, df, lanes);
    passed = peeped(offsetOf(peephole, sizes.hidden), lanes, df, passed);
  }
  storeUpTo(carry, passed, lanes);
}

/**
 * All of a row's step but the products.
 *
 * @param dm [H], with respect to o∘tanh; overwritten
 * @param carry [H]: see lstmVariantCellGradient
 */
inline void lstmVariantRowGradient(const LstmVariantBackward& call, const LstmVariantSizes& sizes,
                                   std::size_t position, float* dm, float* carry) {
  const LstmVariantOptions& options = call.options;
  const int size = options.hiddenSize;
  const std::size_t at = position * sizes.hidden;
  const bool isNormalized = options.cellGain != nullptr;
  for (int unit = 0; unit < size; unit += kLanes) {
    const int lanes = size - unit;
    const Vec16 d = lstmVariantOutputGradient(call, sizes, position, unit, lanes, loadUpTo(dm + unit, lanes));
    storeUpTo(isNormalized ? call.cellNormGradients + at + unit : dm + unit, d, lanes);
  }
  if (isNormalized) {
    normalizedRowGradient(call.cellNormGradients + at, options.cellGain, call.cellNormalized + at,
                          call.cellInverseDeviations[position], size, dm);
  }
  for (int unit = 0; unit < size; unit += kLanes) {
    const int lanes = size - unit;
    lstmVariantCellGradient(call, sizes, position, unit, lanes, loadUpTo(dm + unit, lanes), carry + unit);
  }
  if (options.recurrentGain == nullptr) return;
  const std::size_t gate = position * sizes.width;
  normalizedRowGradient(call.gateGradients + gate, options.recurrentGain, call.recurrentNormalized + gate,
                        call.recurrentInverseDeviations[position], static_cast<int>(sizes.width),
                        call.recurrentGradients + gate);
}

/** Splits dh [B,32] of a panel's units: what zoneout passes back goes to `carry`, the rest to `out`. */
inline void splitHiddenGradient(const LstmVariantOptions& options, const LstmVariantSizes& sizes, std::size_t step,
                                const PanelUnits& units, const float* dh, float* carry, float* out) {
  for (std::size_t row = 0; row < sizes.numRows; row++) {
    for (int v = 0; v < units.count; v += kLanes) {
      const int lanes = units.count - v;
      const std::size_t at = row * sizes.state + static_cast<std::size_t>(units.first + v);
      const float* keep = offsetOf(options.keepHidden, step * sizes.state + at);
      const auto [before, after] = zoneoutGradients(keep, lanes, load(dh + row * kPanelColumns + v));
      storeUpTo(carry + at, before, lanes);
      storeUpTo(out + at, after, lanes);
    }
  }
}

inline bool lstmVariantBackward(const LstmVariantBackward& call, const OnTimeSteps& onTimeSteps) {
  const LstmVariantOptions& options = call.options;
  const LstmVariantSizes sizes(options);
  const int width = static_cast<int>(sizes.width);
  const bool isProjected = call.projection != nullptr;
  const float* recurrent = options.recurrentGain == nullptr ? call.gateGradients : call.recurrentGradients;
  Workspace& workspace = freshWorkspace();
  const RightPanels kernel = packedKernel(call.recurrentKernel, width, options.stateSize, !call.transposed, workspace);
  const RightPanels projection = packedKernel(call.projection, options.stateSize, isProjected ? options.hiddenSize : 0,
                                              !call.transposed, workspace);
  const LeftBuffer lefts(options.numRows, width, workspace);
  const LeftBuffer projectionLefts(isProjected ? options.numRows : 0, options.stateSize, workspace);
  const std::size_t scratchSize = sizes.numRows * kPanelColumns;
  const int mostPanels = std::max(kernel.numPanels(), projection.numPanels());
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(mostPanels));
  float* dm = workspace.floats(sizes.numRows * sizes.hidden);
  const auto scratchAt = [&](int n) { return scratch + scratchSize * static_cast<std::size_t>(n); };
  float* hiddenCarry = call.initialHiddenGradient;
  float* cellCarry = call.initialCellGradient;
  std::fill_n(hiddenCarry, sizes.numRows * sizes.state, 0.0f);
  std::fill_n(cellCarry, sizes.numRows * sizes.hidden, 0.0f);
  LeftRows after{}, unprojected{};
  for (int t = options.numSteps - 1; t >= 0; t--) {
    const std::size_t step = static_cast<std::size_t>(t) * sizes.numRows;
    float* outputGradients = isProjected ? call.projectionGradients + step * sizes.state : dm;
    const auto hidden = [&](int n) {
      const PanelUnits units(n, options.stateSize);
      float* dh = scratchAt(n);
      startFromSums(call.hiddenGradient + step * sizes.state + units.first, hiddenCarry + units.first, sizes.state,
                    options.numRows, units, dh);
      if (t + 1 < options.numSteps) {
        kernel.product(n, after, options.numRows, units.vectors(), {dh, kPanelColumns}, {dh, kPanelColumns});
      }
      splitHiddenGradient(options, sizes, step, units, dh, hiddenCarry, outputGradients);
    };
    parallelFor(kernel.numPanels(), hidden);
    if (isProjected) unprojected = projectionLefts.of(outputGradients, sizes.state, options.numRows);
    const auto unproject = [&](int n) {
      productOfPanel(unprojected, projection, n, options.numRows, options.hiddenSize, nullptr, dm, scratchAt(n));
    };
    parallelFor(projection.numPanels(), unproject);
    const auto row = [&](std::size_t index) {
      const std::size_t at = index * sizes.hidden;
      lstmVariantRowGradient(call, sizes, step + index, dm + at, cellCarry + at);
    };
    forEachRow(options.numRows, width, row);
    after = lefts.of(recurrent + step * sizes.width, sizes.width, options.numRows);
    const int done = options.numSteps - t;
    if (isReported(done, options.numSteps) && onTimeSteps && !onTimeSteps(done)) return false;
  }
  if (options.numSteps == 0) return true;
  const auto first = [&](int n) {
    productOfPanel(after, kernel, n, options.numRows, options.stateSize, hiddenCarry, hiddenCarry, scratchAt(n));
  };
  parallelFor(kernel.numPanels(), first);
  return true;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
