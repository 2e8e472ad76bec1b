// Tests of the kernels as a program of its own: every instruction set of this processor against float64.
#include <cinttypes>
#include <cstdio>

#include "operations.hpp"

int main() {
  using namespace ostinato;
  using namespace ostinato::test;
  std::printf("instruction sets:");
  for (const KernelTable* table : tables()) std::printf(" %s", nameOf(table->instructionSet));
  std::printf("%s\n", hasMatrixUnit() ? ", a matrix unit" : "");
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    setProductPrecision(precision);
    testLinear();
    testLstm();
    testLstmVariant();
    testGru();
    testRnn();
  }
  testBfloat16();
  setProductPrecision(Precision::float32);
  testRows();
  testFlat();
  testCrc32();
  // The same on every processor: compare those of two.
  std::printf("%d checks, %d failed, digest %016" PRIx64 "\n", numChecks(), numFailures(), digest());
  return numFailures() == 0 ? 0 : 1;
}
