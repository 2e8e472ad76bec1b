// The kernels as functions of typed arrays, which are read and written in place. Thin: it checks what it is
// given and calls ostinato/kernels.hpp, where the shapes are described.
#include "bindings.hpp"

namespace ostinato::addon {
namespace {

/** Each thread of Node loads the addon for itself. */
thread_local const KernelTable* selected = nullptr;

}  // namespace

const KernelTable& table() {
  if (selected == nullptr) selected = kernelTable(bestInstructionSet());
  return *selected;
}

namespace {

/** An argument that names something, in a few letters. */
std::string nameAt(const Arguments& args, std::size_t index) {
  char name[32];
  std::size_t length;
  if (napi_get_value_string_utf8(args.env(), args.at(index), name, sizeof name, &length) != napi_ok) {
    throw std::invalid_argument("the name is no string");
  }
  return std::string(name, length);
}

InstructionSet instructionSetNamed(const std::string& name) {
  for (InstructionSet set :
       {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
    if (name == nameOf(set)) return set;
  }
  throw std::invalid_argument("there is no instruction set \"" + name + "\"");
}

napi_value instructionSet(const Arguments& args) {
  napi_value name;
  Arguments::check(napi_create_string_utf8(args.env(), nameOf(table().instructionSet), NAPI_AUTO_LENGTH, &name));
  return name;
}

/** For tests: the bits are the same on all of them. */
napi_value selectInstructionSet(const Arguments& args) {
  const KernelTable* found = kernelTable(instructionSetNamed(nameAt(args, 0)));
  napi_value isThere;
  Arguments::check(napi_get_boolean(args.env(), found != nullptr, &isThere));
  if (found != nullptr) selected = found;
  return isThere;
}

napi_value selectThreads(const Arguments& args) {
  const int count = args.integer(0, "numThreads");
  if (count < 1 || count > 256) throw std::invalid_argument("numThreads is not from 1 to 256");
  setNumThreads(count);
  return nullptr;
}

napi_value selectPrecision(const Arguments& args) {
  const std::string name = nameAt(args, 0);
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    if (name != nameOf(precision)) continue;
    setProductPrecision(precision);
    return nullptr;
  }
  throw std::invalid_argument("there is no precision \"" + name + "\"");
}

/** For tests: the bits are the same with and without it. */
napi_value selectMatrixUnit(const Arguments& args) {
  useMatrixUnit(args.flag(0, "isUsed"));
  napi_value isThere;
  Arguments::check(napi_get_boolean(args.env(), hasMatrixUnit(), &isThere));
  return isThere;
}

napi_value bindMatMulBias(const Arguments& args) {
  const int numRows = args.integer(4, "numRows"), inner = args.integer(5, "inner"), columns = args.integer(6, "columns");
  table().matMulBias({args.floats(0, "rows", product({numRows, inner})),
                      args.floats(1, "kernel", product({inner, columns})),
                      args.floatsOrNull(2, "bias", product({columns})),
                      args.floats(3, "product", product({numRows, columns})), numRows, inner, columns,
                      args.flag(7, "transposed")});
  return nullptr;
}

napi_value bindLinearGradient(const Arguments& args) {
  const int numSteps = args.integer(7, "numSteps"), numRows = args.integer(8, "numRows");
  const int inputs = args.integer(9, "inputs"), furtherInputs = args.integer(10, "furtherInputs");
  const int outputs = args.integer(11, "outputs");
  const float* furtherRows = args.floatsOrNull(1, "furtherRows", product({numSteps, numRows, furtherInputs}));
  if (args.isNull(1) && furtherInputs != 0) throw std::invalid_argument("furtherInputs without furtherRows");
  const Tree tree(args, 3, 4, numRows);
  const std::size_t size = product({inputs, outputs}) + product({furtherInputs, outputs}), numNodes = tree.nodes.size();
  float* kernels = args.floats(5, "kernelGradients", numNodes * size);
  float* biases = args.floatsOrNull(6, "biasGradients", numNodes * product({outputs}));
  const std::vector<float*> kernelParts = tree.parts(kernels, size);
  const std::vector<float*> biasParts = tree.parts(biases, product({outputs}));
  table().linearGradient({args.floats(0, "rows", product({numSteps, numRows, inputs})), furtherRows,
                          args.floats(2, "gradient", product({numSteps, numRows, outputs})), numSteps, numRows, inputs,
                          furtherInputs, outputs, tree.leaves.data(), tree.nodes.data(), tree.numNodes(), kernelParts.data(),
                          biases == nullptr ? nullptr : biasParts.data()});
  return nullptr;
}

napi_value bindLstmForward(const Arguments& args) {
  const int T = args.integer(6, "numSteps"), B = args.integer(7, "numRows"), H = args.integer(8, "hiddenSize");
  table().lstmForward({args.floats(0, "inputGates", product({T, B, 4, H})),
                       args.floats(1, "recurrentKernel", product({H, 4, H})), T, B, H,
                       args.floats(2, "hidden", product({T + 1, B, H})), args.floats(3, "cell", product({T + 1, B, H})),
                       args.floats(4, "gates", product({T, B, 4, H})),
                       args.floats(5, "cellActivations", product({T, B, H}))},
                      timeStepsCallback(args, 9));
  return nullptr;
}

napi_value bindLstmBackward(const Arguments& args) {
  const int T = args.integer(9, "numSteps"), B = args.integer(10, "numRows"), H = args.integer(11, "hiddenSize");
  table().lstmBackward(
      {args.floats(0, "hiddenGradient", product({T, B, H})), args.floatsOrNull(1, "cellGradient", product({T, B, H})),
       args.floats(2, "gates", product({T, B, 4, H})), args.floats(3, "cell", product({T + 1, B, H})),
       args.floats(4, "cellActivations", product({T, B, H})), args.floats(5, "recurrentKernel", product({H, 4, H})), T, B,
       H, args.floats(6, "gateGradients", product({T, B, 4, H})),
       args.floats(7, "initialHiddenGradient", product({B, H})), args.floats(8, "initialCellGradient", product({B, H})),
       args.flag(12, "transposed")},
      timeStepsCallback(args, 13));
  return nullptr;
}

void checkTargets(const std::int32_t* targets, std::size_t count, int vocabularySize) {
  for (std::size_t n = 0; n < count; n++) {
    if (targets[n] >= 0 && targets[n] < vocabularySize) continue;
    throw std::invalid_argument("targets[" + std::to_string(n) + "] is " + std::to_string(targets[n]) +
                                ", allowed are 0 to " + std::to_string(vocabularySize - 1));
  }
}

napi_value bindSoftmaxLoss(const Arguments& args) {
  const int N = args.integer(6, "numPositions"), H = args.integer(7, "hiddenSize"), V = args.integer(8, "vocabularySize");
  const std::int32_t* targets = args.integers(3, "targets", product({N}));
  checkTargets(targets, product({N}), V);
  table().softmaxLoss({args.floats(0, "hidden", product({N, H})), args.floats(1, "kernel", product({H, V})),
                       args.floats(2, "bias", product({V})), targets, args.floats(4, "weights", product({N})), N, H, V,
                       args.floats(5, "losses", product({N}))});
  return nullptr;
}

napi_value bindSoftmaxLossGradient(const Arguments& args) {
  const int T = args.integer(11, "numSteps"), B = args.integer(12, "numRows");
  const int H = args.integer(13, "hiddenSize"), V = args.integer(14, "vocabularySize");
  const std::size_t N = product({T, B});
  const std::int32_t* targets = args.integers(3, "targets", N);
  checkTargets(targets, N, V);
  const Tree tree(args, 5, 6, B);
  const std::size_t numNodes = tree.nodes.size();
  const std::vector<float*> kernels = tree.parts(args.floats(9, "kernelGradients", numNodes * product({H, V})), product({H, V}));
  const std::vector<float*> biases = tree.parts(args.floats(10, "biasGradients", numNodes * product({V})), product({V}));
  table().softmaxLossGradient({args.floats(0, "hidden", product({T, B, H})), args.floats(1, "kernel", product({H, V})),
                               args.floats(2, "bias", product({V})), targets, args.floats(4, "weights", N), T, B, H, V,
                               static_cast<float>(args.number(15, "labelSmoothing")), tree.leaves.data(),
                               tree.nodes.data(), tree.numNodes(), args.floats(7, "losses", N),
                               args.floats(8, "hiddenGradient", product({T, B, H})), kernels.data(), biases.data()});
  return nullptr;
}

const Binding kBindings[] = {
    {"instructionSet", 0, instructionSet},
    {"selectInstructionSet", 1, selectInstructionSet},
    {"selectThreads", 1, selectThreads},
    {"selectPrecision", 1, selectPrecision},
    {"selectMatrixUnit", 1, selectMatrixUnit},
    {"matMulBias", 8, bindMatMulBias},
    {"linearGradient", 12, bindLinearGradient},
    {"lstmForward", 10, bindLstmForward},
    {"lstmBackward", 14, bindLstmBackward},
    {"softmaxLoss", 9, bindSoftmaxLoss},
    {"softmaxLossGradient", 16, bindSoftmaxLossGradient},
};

}  // namespace
}  // namespace ostinato::addon

NAPI_MODULE_INIT() {
  using namespace ostinato::addon;
  const BindingList own{kBindings, sizeof kBindings / sizeof kBindings[0]};
  for (const BindingList& list : {own, cellBindings(), flatBindings()}) {
    for (std::size_t n = 0; n < list.count; n++) {
      const Binding& binding = list.first[n];
      napi_value function;
      const napi_status made = napi_create_function(env, binding.name, NAPI_AUTO_LENGTH, call,
                                                    const_cast<Binding*>(&binding), &function);
      if (made != napi_ok || napi_set_named_property(env, exports, binding.name, function) != napi_ok) return nullptr;
    }
  }
  return exports;
}
