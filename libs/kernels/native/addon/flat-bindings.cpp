// Bindings of the coordinator's operations on flat arrays. All arrays of a call are as long as the first, and
// the scalars are float32 values already; ostinato/flat.hpp has the formulas.
#include "bindings.hpp"
#include "crc32.hpp"

namespace ostinato::addon {
namespace {

const FlatTable& flat() { return table().flat; }

napi_value numberValue(const Arguments& args, double value) {
  napi_value result;
  Arguments::check(napi_create_double(args.env(), value, &result));
  return result;
}

/** An index, or -1. */
napi_value placeValue(const Arguments& args, std::int64_t place) { return numberValue(args, static_cast<double>(place)); }

std::size_t requireColumns(std::size_t length, std::size_t numColumns) {
  if (numColumns == 0 || length % numColumns != 0) {
    throw std::invalid_argument(std::to_string(length) + " values are no rows of " + std::to_string(numColumns) +
                                " columns");
  }
  return numColumns;
}

napi_value bindTreeAdd(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "left");
  flat().treeAdd(args.floats(0, "left", length), args.floats(1, "right", length), args.floats(2, "out", length), length);
  return nullptr;
}

napi_value bindScaleValues(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  flat().scaleValues(args.floats(0, "values", length), args.float32(1, "scale"), args.floats(2, "out", length), length);
  return nullptr;
}

napi_value bindAddScaled(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  flat().addScaled(args.floats(0, "values", length), args.float32(1, "scale"), args.floats(2, "other", length), length);
  return nullptr;
}

napi_value bindScaleColumns(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  const std::size_t numColumns = requireColumns(length, args.lengthOf(1, "scales"));
  flat().scaleColumns(args.floats(0, "values", length), args.floats(1, "scales", numColumns),
                      args.floats(2, "out", length), length, numColumns);
  return nullptr;
}

napi_value bindClampValues(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  const bool isBeyond = flat().clampValues(args.floats(0, "values", length), args.float32(1, "limit"),
                                           args.floats(2, "out", length), length);
  napi_value result;
  Arguments::check(napi_get_boolean(args.env(), isBeyond, &result));
  return result;
}

napi_value bindRoundToBfloat16(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  flat().roundToBfloat16(args.floats(0, "values", length), args.floats(1, "out", length), length);
  return nullptr;
}

napi_value bindFirstNonFinite(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  return placeValue(args, flat().firstNonFinite(args.floats(0, "values", length), length));
}

napi_value bindCrc32(const Arguments& args) {
  const double value = args.number(1, "value");
  if (!(value >= 0 && value <= 4294967295.0)) throw std::invalid_argument("value is no CRC-32");
  return numberValue(args, crc32(args.bytes(0, "bytes"), args.lengthOf(0, "bytes"), static_cast<std::uint32_t>(value)));
}

napi_value bindHasFastCrc32(const Arguments& args) {
  napi_value result;
  Arguments::check(napi_get_boolean(args.env(), hasFastCrc32(), &result));
  return result;
}

napi_value bindSumOfSquares(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  return numberValue(args, flat().sumOfSquares(args.floats(0, "values", length), length));
}

napi_value bindColumnSumsOfSquares(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "values");
  const std::size_t numColumns = requireColumns(length, args.lengthOf(1, "totals"));
  flat().columnSumsOfSquares(args.floats(0, "values", length), length, numColumns,
                             args.doubles(1, "totals", numColumns));
  return nullptr;
}

/** The first four arguments of every update. */
ParameterUpdate updateOf(const Arguments& args) {
  const std::size_t length = args.lengthOf(0, "parameters");
  return {args.floats(0, "parameters", length), args.floats(1, "gradient", length), args.floats(2, "out", length), length,
          args.float32(3, "gradientScale")};
}

napi_value bindDecayGradient(const Arguments& args) {
  flat().decayGradient({updateOf(args), args.float32(4, "weightDecay")});
  return nullptr;
}

napi_value bindSgdUpdate(const Arguments& args) {
  return placeValue(args, flat().sgdUpdate({updateOf(args), args.float32(4, "learningRate")}));
}

napi_value bindMomentumUpdate(const Arguments& args) {
  const ParameterUpdate common = updateOf(args);
  const std::int64_t bad =
      flat().momentumUpdate({common, args.floats(4, "momentumBuffer", common.length), args.float32(5, "learningRate"),
                             args.float32(6, "momentum"), args.float32(7, "taken"), args.flag(8, "nesterov")});
  return placeValue(args, bad);
}

napi_value bindAveragedSgdUpdate(const Arguments& args) {
  const ParameterUpdate common = updateOf(args);
  const std::int64_t bad =
      flat().averagedSgdUpdate({common, args.floats(4, "average", common.length), args.float32(5, "learningRate"),
                                args.float32(6, "shrinkage"), args.float32(7, "averagingRate")});
  return placeValue(args, bad);
}

napi_value bindAdagradUpdate(const Arguments& args) {
  const ParameterUpdate common = updateOf(args);
  const std::int64_t bad =
      flat().adagradUpdate({common, args.floats(4, "squareSum", common.length), args.float32(5, "learningRate"),
                            args.float32(6, "epsilon")});
  return placeValue(args, bad);
}

napi_value bindRmspropUpdate(const Arguments& args) {
  const ParameterUpdate common = updateOf(args);
  const std::int64_t bad =
      flat().rmspropUpdate({common, args.floats(4, "squareAverage", common.length),
                            args.floatsOrNull(5, "gradientAverage", common.length),
                            args.floatsOrNull(6, "momentumBuffer", common.length), args.float32(7, "learningRate"),
                            args.float32(8, "decay"), args.float32(9, "rest"), args.float32(10, "epsilon"),
                            args.float32(11, "momentum")});
  return placeValue(args, bad);
}

napi_value bindAdamUpdate(const Arguments& args) {
  const ParameterUpdate common = updateOf(args);
  const std::int64_t bad =
      flat().adamUpdate({common, args.floats(4, "firstMoment", common.length),
                         args.floats(5, "secondMoment", common.length),
                         args.floatsOrNull(6, "maxSecondMoment", common.length), args.float32(7, "rest1"),
                         args.float32(8, "beta2"), args.float32(9, "rest2"), args.float32(10, "stepSize"),
                         args.float32(11, "epsilon")});
  return placeValue(args, bad);
}

napi_value bindLambUpdate(const Arguments& args) {
  const ParameterUpdate common = updateOf(args);
  const std::int64_t bad =
      flat().lambUpdate({common, args.floats(4, "firstMoment", common.length),
                         args.floats(5, "secondMoment", common.length), args.float32(6, "rest1"),
                         args.float32(7, "beta2"), args.float32(8, "rest2"), args.float32(9, "correction1"),
                         args.float32(10, "correction2"), args.float32(11, "epsilon"), args.float32(12, "weightDecay"),
                         args.number(13, "learningRate"), args.number(14, "maxWeightNorm")});
  return placeValue(args, bad);
}

const Binding kBindings[] = {
    {"treeAdd", 3, bindTreeAdd},
    {"scaleValues", 3, bindScaleValues},
    {"addScaled", 3, bindAddScaled},
    {"scaleColumns", 3, bindScaleColumns},
    {"clampValues", 3, bindClampValues},
    {"roundToBfloat16", 2, bindRoundToBfloat16},
    {"firstNonFinite", 1, bindFirstNonFinite},
    {"crc32", 2, bindCrc32},
    {"hasFastCrc32", 0, bindHasFastCrc32},
    {"sumOfSquares", 1, bindSumOfSquares},
    {"columnSumsOfSquares", 2, bindColumnSumsOfSquares},
    {"decayGradient", 5, bindDecayGradient},
    {"sgdUpdate", 5, bindSgdUpdate},
    {"momentumUpdate", 9, bindMomentumUpdate},
    {"averagedSgdUpdate", 8, bindAveragedSgdUpdate},
    {"adagradUpdate", 7, bindAdagradUpdate},
    {"rmspropUpdate", 12, bindRmspropUpdate},
    {"adamUpdate", 12, bindAdamUpdate},
    {"lambUpdate", 15, bindLambUpdate},
};

}  // namespace

BindingList flatBindings() { return {kBindings, sizeof kBindings / sizeof kBindings[0]}; }

}  // namespace ostinato::addon
