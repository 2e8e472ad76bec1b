// Bindings of GRU, RNN and the LSTM with options; row operations. Each takes one object of named values.
#include "bindings.hpp"

namespace ostinato::addon {
namespace {

OnTimeSteps onTimeSteps(const Fields& call) { return timeStepsCallback(call.field("onTimeSteps"), 0); }

napi_value bindGruForward(const Arguments& args) {
  const Fields call(args);
  const int T = call.integer("numSteps"), B = call.integer("numRows"), H = call.integer("hiddenSize");
  table().gruForward(
      {call.floats("inputGates", product({T, B, 3, H})), call.floats("recurrentKernel", product({H, 3, H})),
       call.floatsOrNull("candidateBias", product({H})), call.floatsOrNull("keep", product({T, B, H})),
       call.flag("resetAfter"), T, B, H, call.floats("hidden", product({T + 1, B, H})),
       call.floats("gates", product({T, B, 3, H})), call.floats("candidates", product({T, B, H}))},
      onTimeSteps(call));
  return nullptr;
}

napi_value bindGruBackward(const Arguments& args) {
  const Fields call(args);
  const int T = call.integer("numSteps"), B = call.integer("numRows"), H = call.integer("hiddenSize");
  const bool resetAfter = call.flag("resetAfter");
  const std::size_t ofGates = product({T, B, 3, H});
  table().gruBackward(
      {call.floats("hiddenGradient", product({T, B, H})), call.floats("gates", ofGates),
       call.floats("candidates", product({T, B, H})), call.floats("hidden", product({T + 1, B, H})),
       call.floats("recurrentKernel", product({H, 3, H})), call.floatsOrNull("keep", product({T, B, H})), resetAfter, T,
       B, H, call.floats("gateGradients", ofGates),
       resetAfter ? call.floats("recurrentGradients", ofGates) : nullptr,
       call.floats("initialHiddenGradient", product({B, H})), call.flag("transposed")},
      onTimeSteps(call));
  return nullptr;
}

RnnActivation activationOf(const Fields& call) {
  return call.flag("isRelu") ? RnnActivation::relu : RnnActivation::tanh;
}

napi_value bindRnnForward(const Arguments& args) {
  const Fields call(args);
  const int T = call.integer("numSteps"), B = call.integer("numRows"), H = call.integer("hiddenSize");
  const std::size_t ofUnits = product({T, B, H});
  table().rnnForward({call.floats("inputGates", ofUnits), call.floats("recurrentKernel", product({H, H})),
                      call.floatsOrNull("keep", ofUnits), activationOf(call), T, B, H,
                      call.floats("hidden", product({T + 1, B, H})), call.floatsOrNull("activations", ofUnits)},
                     onTimeSteps(call));
  return nullptr;
}

napi_value bindRnnBackward(const Arguments& args) {
  const Fields call(args);
  const int T = call.integer("numSteps"), B = call.integer("numRows"), H = call.integer("hiddenSize");
  const std::size_t ofUnits = product({T, B, H});
  table().rnnBackward({call.floats("hiddenGradient", ofUnits), call.floats("activations", ofUnits),
                       call.floats("recurrentKernel", product({H, H})), call.floatsOrNull("keep", ofUnits),
                       activationOf(call), T, B, H, call.floats("gateGradients", ofUnits),
                       call.floats("initialHiddenGradient", product({B, H})), call.flag("transposed")},
                      onTimeSteps(call));
  return nullptr;
}

/** The sizes and options of an LSTM with options, and how many values its arrays have. */
struct LstmVariant {
  LstmVariantOptions options;
  std::size_t ofState, ofCell, ofGates, ofRows, ofKernel, ofProjection;

  explicit LstmVariant(const Fields& call) {
    const int T = call.integer("numSteps"), B = call.integer("numRows");
    const int H = call.integer("hiddenSize"), R = call.integer("stateSize");
    const bool coupledGates = call.flag("coupledGates");
    const int G = coupledGates ? 3 : 4;
    ofState = product({T, B, R});
    ofCell = product({T, B, H});
    ofGates = product({T, B, G, H});
    ofRows = product({T, B});
    ofKernel = product({R, G, H});
    ofProjection = product({H, R});
    options = {T,
               B,
               H,
               R,
               coupledGates,
               call.floatsOrNull("peephole", product({G - 1, H})),
               call.floatsOrNull("recurrentGain", product({G, H})),
               call.floatsOrNull("cellGain", product({H})),
               call.floatsOrNull("cellBias", product({H})),
               static_cast<float>(call.number("epsilon")),
               call.floatsOrNull("keepHidden", ofState),
               call.floatsOrNull("keepCell", ofCell)};
    const bool isNormalized = options.recurrentGain != nullptr;
    if ((options.cellGain != nullptr) != isNormalized || (options.cellBias != nullptr) != isNormalized) {
      throw std::invalid_argument("some of recurrentGain, cellGain and cellBias are missing");
    }
    if ((options.keepHidden != nullptr) != (options.keepCell != nullptr)) {
      throw std::invalid_argument("keepHidden or keepCell is missing");
    }
    if (call.isNull("projection") && R != H) throw std::invalid_argument("stateSize is not hiddenSize");
  }

  bool isNormalized() const { return options.recurrentGain != nullptr; }
  std::size_t statesOf(int size) const { return product({options.numSteps + 1, options.numRows, size}); }
  /** An array that layer normalization alone has. */
  float* normalization(const Fields& call, const char* name, std::size_t size) const {
    return isNormalized() ? call.floats(name, size) : nullptr;
  }
};

napi_value bindLstmVariantForward(const Arguments& args) {
  const Fields call(args);
  const LstmVariant of(call);
  float* projection = call.floatsOrNull("projection", of.ofProjection);
  table().lstmVariantForward(
      {of.options, call.floats("inputGates", of.ofGates), call.floats("recurrentKernel", of.ofKernel), projection,
       call.floats("hidden", of.statesOf(of.options.stateSize)), call.floats("cell", of.statesOf(of.options.hiddenSize)),
       call.floats("cellCandidates", of.ofCell), call.floats("gates", of.ofGates),
       call.floats("cellActivations", of.ofCell),
       projection == nullptr ? nullptr : call.floats("projectionInputs", of.ofCell),
       of.normalization(call, "recurrentNormalized", of.ofGates),
       of.normalization(call, "recurrentInverseDeviations", of.ofRows),
       of.normalization(call, "cellNormalized", of.ofCell),
       of.normalization(call, "cellInverseDeviations", of.ofRows)},
      onTimeSteps(call));
  return nullptr;
}

napi_value bindLstmVariantBackward(const Arguments& args) {
  const Fields call(args);
  const LstmVariant of(call);
  const int B = of.options.numRows;
  float* projection = call.floatsOrNull("projection", of.ofProjection);
  table().lstmVariantBackward(
      {of.options, call.floats("hiddenGradient", of.ofState), call.floatsOrNull("cellGradient", of.ofCell),
       call.floats("recurrentKernel", of.ofKernel), projection,
       call.floats("cell", of.statesOf(of.options.hiddenSize)), call.floats("gates", of.ofGates),
       call.floats("cellActivations", of.ofCell), of.normalization(call, "recurrentNormalized", of.ofGates),
       of.normalization(call, "recurrentInverseDeviations", of.ofRows),
       of.normalization(call, "cellNormalized", of.ofCell),
       of.normalization(call, "cellInverseDeviations", of.ofRows), call.floats("gateGradients", of.ofGates),
       of.normalization(call, "recurrentGradients", of.ofGates),
       call.floats("initialHiddenGradient", product({B, of.options.stateSize})),
       call.floats("initialCellGradient", product({B, of.options.hiddenSize})),
       projection == nullptr ? nullptr : call.floats("projectionGradients", of.ofState),
       of.normalization(call, "cellNormGradients", of.ofCell), call.flag("transposed")},
      onTimeSteps(call));
  return nullptr;
}

napi_value bindLayerNorm(const Arguments& args) {
  const Fields call(args);
  const int N = call.integer("numRows"), C = call.integer("numColumns");
  const std::size_t ofRows = product({N, C});
  table().layerNorm({call.floats("rows", ofRows), call.floatsOrNull("gain", product({C})),
                     call.floatsOrNull("bias", product({C})), N, C, static_cast<float>(call.number("epsilon")),
                     call.floats("outputs", ofRows), call.floats("normalized", ofRows),
                     call.floats("inverseDeviations", product({N}))});
  return nullptr;
}

napi_value bindLayerNormGradient(const Arguments& args) {
  const Fields call(args);
  const int N = call.integer("numRows"), C = call.integer("numColumns");
  const std::size_t ofRows = product({N, C});
  table().layerNormGradient({call.floats("gradient", ofRows), call.floats("normalized", ofRows),
                             call.floats("inverseDeviations", product({N})),
                             call.floatsOrNull("gain", product({C})), N, C, call.floats("rowGradient", ofRows)});
  return nullptr;
}

const std::int32_t* idsBelow(const Fields& call, int vocabularySize, std::size_t count) {
  const std::int32_t* ids = call.integers("ids", count);
  for (std::size_t n = 0; n < count; n++) {
    if (ids[n] >= 0 && ids[n] < vocabularySize) continue;
    throw std::invalid_argument("ids[" + std::to_string(n) + "] is " + std::to_string(ids[n]) +
                                ", allowed are 0 to " + std::to_string(vocabularySize - 1));
  }
  return ids;
}

napi_value bindEmbeddingGather(const Arguments& args) {
  const Fields call(args);
  const int N = call.integer("numPositions"), E = call.integer("embeddingSize"), V = call.integer("vocabularySize");
  table().embeddingGather({call.floats("table", product({V, E})), idsBelow(call, V, product({N})), N, E,
                           call.floats("rows", product({N, E}))});
  return nullptr;
}

napi_value bindEmbeddingGradient(const Arguments& args) {
  const Fields call(args);
  const int T = call.integer("numSteps"), B = call.integer("numRows");
  const int E = call.integer("embeddingSize"), V = call.integer("vocabularySize");
  const Tree tree(call.field("leaves"), call.field("nodes"), B);
  const std::size_t size = product({V, E});
  const std::vector<float*> tables = tree.parts(call.floats("tableGradients", tree.nodes.size() * size), size);
  table().embeddingGradient({idsBelow(call, V, product({T, B})), call.floats("gradient", product({T, B, E})), T, B, E,
                             V, tree.leaves.data(), tree.nodes.data(), tree.numNodes(), tables.data()});
  return nullptr;
}

napi_value bindSequenceRows(const Arguments& args) {
  const Fields call(args);
  const int T = call.integer("sequenceSteps"), B = call.integer("batchRows"), C = call.integer("numColumns");
  const int firstStep = call.integer("firstStep"), numSteps = call.integer("numSteps");
  const int firstRow = call.integer("firstRow"), numRows = call.integer("numRows");
  if (firstStep > T || numSteps > T - firstStep) throw std::invalid_argument("the block leaves the steps");
  if (firstRow > B || numRows > B - firstRow) throw std::invalid_argument("the block leaves the rows");
  table().sequenceRows({call.floats("sequence", product({T, B, C})), B, C, firstStep, numSteps, firstRow, numRows,
                        call.floats("rows", product({numSteps, numRows, C}))});
  return nullptr;
}

napi_value bindTranspose(const Arguments& args) {
  const Fields call(args);
  const int R = call.integer("numRows"), C = call.integer("numColumns");
  table().transpose({call.floats("matrix", product({R, C})), R, C, call.floats("transposed", product({C, R}))});
  return nullptr;
}

const Binding kBindings[] = {
    {"gruForward", 1, bindGruForward},
    {"gruBackward", 1, bindGruBackward},
    {"rnnForward", 1, bindRnnForward},
    {"rnnBackward", 1, bindRnnBackward},
    {"lstmVariantForward", 1, bindLstmVariantForward},
    {"lstmVariantBackward", 1, bindLstmVariantBackward},
    {"layerNorm", 1, bindLayerNorm},
    {"layerNormGradient", 1, bindLayerNormGradient},
    {"embeddingGather", 1, bindEmbeddingGather},
    {"embeddingGradient", 1, bindEmbeddingGradient},
    {"sequenceRows", 1, bindSequenceRows},
    {"transpose", 1, bindTranspose},
};

}  // namespace

BindingList cellBindings() { return {kBindings, sizeof kBindings / sizeof kBindings[0]}; }

}  // namespace ostinato::addon
