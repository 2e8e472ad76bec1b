#include "crc32.hpp"

#include "operations.hpp"

namespace ostinato::test {
namespace {

/** By the definition: division by the polynomial, bit by bit. */
std::uint32_t crc32BitByBit(const std::uint8_t* bytes, std::size_t size, std::uint32_t value) {
  std::uint32_t rest = ~value;
  for (std::size_t i = 0; i < size; i++) {
    rest ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~rest;
}

}  // namespace

void testCrc32() {
  Random random(41);
  const char text[] = "123456789";
  check(crc32(reinterpret_cast<const std::uint8_t*>(text), 9, 0) == 0xcbf43926u, "crc32: the check value of the standard");
  for (int size = 0; size < 300; size++) {
    // As long as it is read: the sanitizer sees what lies beyond.
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
    const std::uint32_t value = static_cast<std::uint32_t>(random.below(1 << 24)) * 251u;
    check(crc32(bytes.data(), bytes.size(), value) == crc32BitByBit(bytes.data(), bytes.size(), value),
          "crc32 of " + std::to_string(size) + " bytes");
  }
}

}  // namespace ostinato::test
