// Weights and requantisation constants in the forms that the Helium kernels read (engine/helium/block.inc, strips.inc).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codegen/dsp_pack.h"
#include "codegen/kernel_set.h"

namespace tinynas {

/// How the results of a layer are requantised: engine/helium/requantize.inc.
enum class HeliumMode : std::uint8_t { hidden, linear, general };
[[nodiscard]] const char* mode_name(HeliumMode mode);

/// Channels with what cannot change folded, and the quickest mode that is exact for all of them.
struct HeliumLayer {
  std::vector<DspChannel> channels;
  HeliumMode mode = HeliumMode::general;
};
/// weights: of all channels in turn.
[[nodiscard]] HeliumLayer helium_layer(std::span<const std::int64_t> weights, const OutputStage& stage);

/// The stream of helium/block.inc. At least two channels; `nibbles`: weights of 4 bits.
[[nodiscard]] std::vector<std::int64_t> pack_block_stream(const HeliumLayer& layer, bool nibbles);

/// The stream of helium/strips.inc. weights [taps][channels].
struct StripStream {
  std::vector<std::int64_t> words;
  HeliumMode mode = HeliumMode::general;
  std::int32_t channel_words = 0;
};
[[nodiscard]] StripStream pack_strip_stream(std::span<const std::int64_t> weights, std::int32_t kernel_w,
                                            const tn_helium_strips& strips, const OutputStage& stage);

}  // namespace tinynas
