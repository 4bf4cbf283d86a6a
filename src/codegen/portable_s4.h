// Portable kernels on values of 4 bits (engine/include/tinynas/packed.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/kernel_set.h"

namespace tinynas {

/// Whether an input, the weights or the output have 4 bits.
[[nodiscard]] bool has_four_bits(const KernelRequest& request);
/// Whether there is a body for 4 bits.
[[nodiscard]] bool takes_four_bits(const KernelRequest& request);

/// Two values a byte, the low nibble first; an odd last one stands alone. As int8.
[[nodiscard]] std::vector<std::int64_t> pack_nibbles(const std::vector<std::int64_t>& values);

/// An ADD of 4-bit maps of one shape into a third: its 256 results. nullopt for all other requests.
[[nodiscard]] std::optional<KernelCall> add_by_table(const KernelRequest& request);

/// Turns the call of an 8-bit body into that of its 4-bit counterpart.
void make_packed(const KernelRequest& request, KernelCall& call);

}  // namespace tinynas
