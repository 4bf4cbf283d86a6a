// Weights of 4 bits in the forms that the DSP kernels read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codegen/dsp_pack.h"

namespace tinynas {

/// pack_matrix()'s result with weights in -8..7 and two steps a word (engine/dsp/expand.S), no words in front.
[[nodiscard]] PackedMatrix in_nibbles(const PackedMatrix& matrix);

/// Weights [channels][depth] in the order in which engine/dsp/gather_s4.S puts pack_matrix()'s steps; takes from the bias
/// what the inputs' 8 adds.
[[nodiscard]] std::vector<std::int64_t> for_nibbles(std::span<const std::int64_t> weights, OutputStage& stage);

/// Weights [channels][depth] for inputs and outputs of 4 bits (engine/dsp/tile_w4a4.S), channels a multiple of 4, depth
/// of 8. `pairs` counts fours of channels. nullopt where an output is clamped within -8..7, or a channel's sums or scale are
/// out of the kernel's bounds, which interval arithmetic proves for every input otherwise.
[[nodiscard]] std::optional<PackedMatrix> pack_quads(std::span<const std::int64_t> weights, const OutputStage& stage);

}  // namespace tinynas
