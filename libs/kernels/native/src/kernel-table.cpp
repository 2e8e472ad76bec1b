// Which instruction set this processor has. The tables that exist follow from what was compiled:
// OSTINATO_HAS_AVX512 and the like.
#include "ostinato/kernels.hpp"

namespace ostinato {

namespace portable {
extern const KernelTable table;
}
#if defined(OSTINATO_HAS_AVX2)
namespace avx2 {
extern const KernelTable table;
}
#endif
#if defined(OSTINATO_HAS_AVX512)
namespace avx512 {
extern const KernelTable table;
}
#endif
#if defined(OSTINATO_HAS_NEON)
namespace neon {
extern const KernelTable table;
}
#endif

const char* nameOf(InstructionSet set) {
  switch (set) {
    case InstructionSet::portable:
      return "portable";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::neon:
      return "neon";
  }
  return "unknown";
}

const KernelTable* kernelTable(InstructionSet set) {
  switch (set) {
    case InstructionSet::portable:
      return &portable::table;
    case InstructionSet::avx2:
#if defined(OSTINATO_HAS_AVX2)
      if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2::table;
#endif
      return nullptr;
    case InstructionSet::avx512:
#if defined(OSTINATO_HAS_AVX512)
      if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        return &avx512::table;
      }
#endif
      return nullptr;
    case InstructionSet::neon:
#if defined(OSTINATO_HAS_NEON)
      return &neon::table;
#else
      return nullptr;
#endif
  }
  return nullptr;
}

InstructionSet bestInstructionSet() {
  for (InstructionSet set : {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::neon}) {
    if (kernelTable(set) != nullptr) return set;
  }
  return InstructionSet::portable;
}

}  // namespace ostinato
