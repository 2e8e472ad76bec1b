// Threads that share out the panels of one call. Each panel's result is the same whoever computes it, so
// that the number of threads changes no bit.
#pragma once

#include <functional>

namespace ostinato {

/** Threads from now on, the caller's among them; from 1. */
void setNumThreads(int numThreads);
int numThreads();

/** Calls `task(index)` for 0 to count − 1, in any order, and returns when all are done. */
void parallelFor(int count, const std::function<void(int)>& task);

}  // namespace ostinato
