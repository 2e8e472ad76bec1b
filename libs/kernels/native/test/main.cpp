// Tests of the kernels as a program of its own: every instruction set of this processor against float64.
#include <cinttypes>
#include <cstdio>

#include "operations.hpp"

int main() {
  using namespace ostinato;
  using namespace ostinato::test;
  std::printf("instruction sets:");
  for (const KernelTable* table : tables()) std::printf(" %s", nameOf(table->instructionSet));
  std::printf("\n");
  testLinear();
  testLstm();
  testLstmVariant();
  testGru();
  testRnn();
  testRows();
  testFlat();
  // The same on every processor: compare those of two.
  std::printf("%d checks, %d failed, digest %016" PRIx64 "\n", numChecks(), numFailures(), digest());
  return numFailures() == 0 ? 0 : 1;
}
