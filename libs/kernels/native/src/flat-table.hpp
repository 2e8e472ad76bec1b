#pragma once

#include "flat-updates.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

constexpr FlatTable flatTable = {
    treeAdd,
    scaleValues,
    addScaled,
    scaleColumns,
    clampValues,
    roundToBfloat16,
    firstNonFinite,
    sumOfSquares,
    columnSumsOfSquares,
    decayGradient,
    sgdUpdate,
    momentumUpdate,
    averagedSgdUpdate,
    adagradUpdate,
    rmspropUpdate,
    adamUpdate,
    lambUpdate,
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
