#pragma once

namespace ostinato {

/** Whether bfloat16 products run on a matrix unit: it is there, and nobody turned it off. */
bool usesMatrixUnit();

}  // namespace ostinato
