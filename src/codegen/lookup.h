// Tables and literals that are computed when the project is generated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/kernel_set.h"

namespace tinynas {

/// The operator applied to every int8 or uint8 value, by the reference interpreter: entry i is the byte that the stored byte
/// i becomes (256 entries, 0..255).
[[nodiscard]] std::vector<std::int64_t> lookup_table(const KernelRequest& request);

/// A C literal that reads back as the same float.
[[nodiscard]] std::string float_text(float value);

}  // namespace tinynas
