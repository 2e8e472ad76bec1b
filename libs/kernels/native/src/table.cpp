// One instruction set's functions; compiled once for each of them, with the flags that it needs.
#include "embedding.hpp"
#include "flat-table.hpp"
#include "gru-gradients.hpp"
#include "linear-gradient.hpp"
#include "lstm-variant-gradients.hpp"
#include "lstm.hpp"
#include "softmax-loss.hpp"
#include "rnn.hpp"
#include "rows.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

extern const KernelTable table;

const KernelTable table = {
#if defined(OSTINATO_AVX512)
    InstructionSet::avx512,
#elif defined(OSTINATO_AVX2)
    InstructionSet::avx2,
#elif defined(OSTINATO_NEON)
    InstructionSet::neon,
#else
    InstructionSet::portable,
#endif
    matMulBias,
    linearGradient,
    lstmForward,
    lstmBackward,
    softmaxLoss,
    softmaxLossGradient,
    gruForward,
    gruBackward,
    rnnForward,
    rnnBackward,
    layerNorm,
    layerNormGradient,
    embeddingGather,
    embeddingGradient,
    sequenceRows,
    flatTable,
    lstmVariantForward,
    lstmVariantBackward,
    transpose,
};

}  // namespace OSTINATO_ISA
}  // namespace ostinato
