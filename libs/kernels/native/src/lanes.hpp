// What is composed of the operations of sixteen lanes, alike on every processor.
#pragma once

#include "vec16.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Up to 16 values at p, zeros beyond. */
OSTINATO_INLINE Vec16 loadUpTo(const float* p, int count) {
  return count >= kLanes ? load(p) : loadFirst(p, count);
}
OSTINATO_INLINE void storeUpTo(float* p, Vec16 a, int count) {
  if (count >= kLanes) {
    store(p, a);
  } else {
    storeFirst(p, a, count);
  }
}

/** The sum of the lanes, in pairs that are 8, 4, 2 and 1 lanes apart. */
OSTINATO_INLINE float sumOfLanes(Vec16 a) {
  float lane[kLanes];
  store(lane, a);
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    for (int n = 0; n < distance; n++) lane[n] = lane[n] + lane[n + distance];
  }
  return lane[0];
}

/** The largest lane. */
OSTINATO_INLINE float largestLane(Vec16 a) {
  float lane[kLanes];
  store(lane, a);
  float largest = lane[0];
  for (int n = 1; n < kLanes; n++) largest = largest > lane[n] ? largest : lane[n];
  return largest;
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
