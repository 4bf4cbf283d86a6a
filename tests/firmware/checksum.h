// What the host programs of the emulated tests and the firmware have in common: pseudo-random inputs and CRC-32.
#pragma once

#include <cstdint>

#include "graph/interpreter.h"

namespace tinynas {

/// The generator of firmware.c and graphs_main.c.
inline Bytes pseudo_random(std::size_t count, std::uint32_t seed) {
  Bytes bytes(count);
  for (auto& byte : bytes) {
    seed = seed * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return bytes;
}

inline std::uint32_t crc32(const Bytes& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const auto byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0xedb88320U & (0U - (crc & 1U)));
  }
  return ~crc;
}

}  // namespace tinynas
