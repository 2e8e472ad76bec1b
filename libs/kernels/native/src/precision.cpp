// What the calling thread's products are rounded to, and whether a matrix unit is there for them.
#include "precision.hpp"

#include <atomic>

#include "ostinato/kernels.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace ostinato {
namespace {

bool findMatrixUnit() {
#if defined(__x86_64__) && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kAmxBfloat16 = 1u << 22, kAmxTile = 1u << 24;
  if ((d & kAmxBfloat16) == 0 || (d & kAmxTile) == 0) return false;
  // Linux gives a process the tiles' state when it asks for it (ARCH_REQ_XCOMP_PERM of XTILEDATA).
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

std::atomic<bool>& matrixUnitIsUsed() {
  static std::atomic<bool> isUsed{hasMatrixUnit()};
  return isUsed;
}

thread_local Precision selected = Precision::float32;

}  // namespace

const char* nameOf(Precision precision) { return precision == Precision::bfloat16 ? "bfloat16" : "float32"; }

void setProductPrecision(Precision precision) { selected = precision; }

Precision productPrecision() { return selected; }

bool hasMatrixUnit() {
  static const bool isThere = findMatrixUnit();
  return isThere;
}

void useMatrixUnit(bool isUsed) { matrixUnitIsUsed().store(isUsed && hasMatrixUnit()); }

bool usesMatrixUnit() { return matrixUnitIsUsed().load(std::memory_order_relaxed); }

}  // namespace ostinato
