// The LSTM with options (Gers et al. 2002, Sak et al. 2014, Greff et al. 2017, Ba et al. 2016, Krueger et al.
// 2017), forward: products by panels, then whole rows, since layer normalization needs them.
#pragma once

#include "activations.hpp"
#include "rows.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Sizes, and where gates stand. */
struct LstmVariantSizes {
  std::size_t numRows, hidden, state, width;
  std::size_t gColumn, oColumn, oRow;
  int numGates;

  explicit LstmVariantSizes(const LstmVariantOptions& options)
      : numRows(static_cast<std::size_t>(options.numRows)),
        hidden(static_cast<std::size_t>(options.hiddenSize)),
        state(static_cast<std::size_t>(options.stateSize)),
        width((options.coupledGates ? 3 : 4) * hidden),
        gColumn((options.coupledGates ? 1 : 2) * hidden),
        oColumn((options.coupledGates ? 2 : 3) * hidden),
        oRow((options.coupledGates ? 1 : 2) * hidden),
        numGates(options.coupledGates ? 3 : 4) {}
};

/** p + offset, if there is an array. */
template <class T>
OSTINATO_INLINE T* offsetOf(T* p, std::size_t offset) {
  return p == nullptr ? nullptr : p + offset;
}

/** a + p∘seen; a without peepholes. */
OSTINATO_INLINE Vec16 peeped(const float* peephole, int lanes, Vec16 seen, Vec16 a) {
  return peephole == nullptr ? a : fma(loadUpTo(peephole, lanes), seen, a);
}

/** The row's gates before the activations: of the recurrent product, which lies where it is normalized. */
inline void lstmVariantNormalizedGates(const LstmVariantForward& call, const LstmVariantSizes& sizes,
                                       std::size_t position) {
  const int width = static_cast<int>(sizes.width);
  float* normalized = call.recurrentNormalized + position * sizes.width;
  const float* inputs = call.inputGates + position * sizes.width;
  float* gates = call.gates + position * sizes.width;
  call.recurrentInverseDeviations[position] =
      normalizeRow(normalized, width, call.options.epsilon, normalized);
  for (int k = 0; k < width; k += kLanes) {
    const int lanes = width - k;
    const Vec16 gain = loadUpTo(call.options.recurrentGain + k, lanes);
    storeUpTo(gates + k, fma(gain, loadUpTo(normalized + k, lanes), loadUpTo(inputs + k, lanes)), lanes);
  }
}

/** Gates, c̃, c' and, without layer normalization, tanh(c̃) of up to 16 units. */
OSTINATO_INLINE void lstmVariantCell(const LstmVariantForward& call, const LstmVariantSizes& sizes,
                                     std::size_t position, int unit, int lanes) {
  const LstmVariantOptions& options = call.options;
  const std::size_t at = position * sizes.hidden + static_cast<std::size_t>(unit);
  float* gates = call.gates + position * sizes.width + unit;
  const float* peephole = offsetOf(options.peephole, static_cast<std::size_t>(unit));
  const Vec16 before = loadUpTo(call.cell + at, lanes);
  const Fraction ofInput = sigmoidFraction(peeped(peephole, lanes, before, loadUpTo(gates, lanes)));
  const Fraction ofCandidate = tanhFraction(loadUpTo(gates + sizes.gColumn, lanes));
  Vec16 i, f, g;
  if (options.coupledGates) {
    const auto [input, candidate] = quotientsOf(ofInput, ofCandidate);
    i = input;
    f = sub(broadcast(1.0f), i);
    g = candidate;
  } else {
    const float* ofForget = offsetOf(peephole, sizes.hidden);
    const Vec16 z = peeped(ofForget, lanes, before, loadUpTo(gates + sizes.hidden, lanes));
    const auto [input, forget] = quotientsOf(ofInput, sigmoidFraction(z));
    i = input;
    f = forget;
    g = quotientOf(ofCandidate);
    storeUpTo(gates + sizes.hidden, f, lanes);
  }
  const Vec16 candidate = fma(f, before, mul(i, g));
  const float* ofOutput = offsetOf(peephole, sizes.oRow);
  const Vec16 o = sigmoidOf(peeped(ofOutput, lanes, candidate, loadUpTo(gates + sizes.oColumn, lanes)));
  storeUpTo(gates, i, lanes);
  storeUpTo(gates + sizes.gColumn, g, lanes);
  storeUpTo(gates + sizes.oColumn, o, lanes);
  storeUpTo(call.cellCandidates + at, candidate, lanes);
  const float* keep = offsetOf(options.keepCell, at);
  storeUpTo(call.cell + at + sizes.numRows * sizes.hidden, zonedOut(keep, lanes, before, candidate), lanes);
}

/** h' of up to 16 units from h̃. */
OSTINATO_INLINE void lstmVariantHidden(const LstmVariantForward& call, const LstmVariantSizes& sizes,
                                       std::size_t position, int unit, int lanes, Vec16 output) {
  const std::size_t at = position * sizes.state + static_cast<std::size_t>(unit);
  const float* keep = offsetOf(call.options.keepHidden, at);
  storeUpTo(call.hidden + at + sizes.numRows * sizes.state,
            zonedOut(keep, lanes, loadUpTo(call.hidden + at, lanes), output), lanes);
}

/** All of a row's step but the products. */
inline void lstmVariantRow(const LstmVariantForward& call, const LstmVariantSizes& sizes, std::size_t position) {
  const LstmVariantOptions& options = call.options;
  const int size = options.hiddenSize;
  const std::size_t at = position * sizes.hidden;
  if (options.recurrentGain != nullptr) lstmVariantNormalizedGates(call, sizes, position);
  for (int unit = 0; unit < size; unit += kLanes) lstmVariantCell(call, sizes, position, unit, size - unit);
  const float* tanhInputs = call.cellCandidates + at;
  if (options.cellGain != nullptr) {
    tanhInputs = call.cellNormalized + at;
    call.cellInverseDeviations[position] =
        normalizeRow(call.cellCandidates + at, size, options.epsilon, call.cellNormalized + at);
  }
  for (int unit = 0; unit < size; unit += kLanes) {
    const int lanes = size - unit;
    Vec16 x = loadUpTo(tanhInputs + unit, lanes);
    if (options.cellGain != nullptr) {
      x = fma(loadUpTo(options.cellGain + unit, lanes), x, loadUpTo(options.cellBias + unit, lanes));
    }
    const Vec16 activation = tanhOf(x);
    const Vec16 o = loadUpTo(call.gates + position * sizes.width + sizes.oColumn + unit, lanes);
    storeUpTo(call.cellActivations + at + unit, activation, lanes);
    if (call.projection != nullptr) {
      storeUpTo(call.projectionInputs + at + unit, mul(o, activation), lanes);
    } else {
      lstmVariantHidden(call, sizes, position, unit, lanes, mul(o, activation));
    }
  }
}

inline bool lstmVariantForward(const LstmVariantForward& call, const OnTimeSteps& onTimeSteps) {
  const LstmVariantOptions& options = call.options;
  const LstmVariantSizes sizes(options);
  const bool isNormalized = options.recurrentGain != nullptr;
  Workspace& workspace = freshWorkspace();
  const int width = static_cast<int>(sizes.width), projected = call.projection == nullptr ? 0 : options.stateSize;
  const RightPanels kernel = packedKernel(call.recurrentKernel, options.stateSize, width, false, workspace);
  const RightPanels projection = packedKernel(call.projection, options.hiddenSize, projected, false, workspace);
  const LeftBuffer lefts(options.numRows, options.stateSize, workspace);
  const LeftBuffer projectionLefts(projected == 0 ? 0 : options.numRows, options.hiddenSize, workspace);
  const std::size_t scratchSize = sizes.numRows * kPanelColumns;
  const int mostPanels = std::max(kernel.numPanels(), projection.numPanels());
  float* scratch = workspace.floats(scratchSize * static_cast<std::size_t>(mostPanels));
  const auto scratchAt = [&](int n) { return scratch + scratchSize * static_cast<std::size_t>(n); };
  LeftRows beforeProjection{};
  for (int t = 0; t < options.numSteps; t++) {
    const std::size_t step = static_cast<std::size_t>(t) * sizes.numRows;
    const LeftRows before = lefts.of(call.hidden + step * sizes.state, sizes.state, options.numRows);
    const auto gates = [&](int n) {
      const float* from = isNormalized ? nullptr : call.inputGates + step * sizes.width;
      float* to = (isNormalized ? call.recurrentNormalized : call.gates) + step * sizes.width;
      productOfPanel(before, kernel, n, options.numRows, width, from, to, scratchAt(n));
    };
    parallelFor(kernel.numPanels(), gates);
    const auto row = [&](std::size_t index) { lstmVariantRow(call, sizes, step + index); };
    forEachRow(options.numRows, width, row);
    if (projected > 0) {
      const float* inputs = call.projectionInputs + step * sizes.hidden;
      beforeProjection = projectionLefts.of(inputs, sizes.hidden, options.numRows);
    }
    const auto project = [&](int n) {
      const PanelUnits units(n, options.stateSize);
      const Tile tile{scratchAt(n), kPanelColumns};
      projection.product(n, beforeProjection, options.numRows, units.vectors(), {nullptr, 0}, tile);
      for (std::size_t index = 0; index < sizes.numRows; index++) {
        for (int v = 0; v < units.count; v += kLanes) {
          lstmVariantHidden(call, sizes, step + index, units.first + v, units.count - v,
                            load(tile.p + index * kPanelColumns + v));
        }
      }
    };
    parallelFor(projection.numPanels(), project);
    if (isReported(t + 1, options.numSteps) && onTimeSteps && !onTimeSteps(t + 1)) return false;
  }
  return true;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
