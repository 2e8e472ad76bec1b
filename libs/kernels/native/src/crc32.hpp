// CRC-32 as zlib has it (ISO 3309): of frames, by processors that multiply without carries.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ostinato {

/** Whether crc32 is quick here: elsewhere it goes byte by byte, and zlib's is the better one. */
bool hasFastCrc32();

/** @param value of the bytes before, 0 at the start. @returns that of those bytes and these */
std::uint32_t crc32(const std::uint8_t* bytes, std::size_t size, std::uint32_t value);

}  // namespace ostinato
