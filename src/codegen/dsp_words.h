// What the DSP packings share: words of constants, and how an output stage treats a channel.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "codegen/dsp_pack.h"
#include "tinynas/requantize.h"

namespace tinynas {

inline constexpr std::int64_t kInt32 = std::int64_t{1} << 31;

inline std::int64_t word(std::int64_t value) { return static_cast<std::int64_t>(static_cast<std::uint32_t>(value)); }
inline std::int64_t halves(std::int64_t lower, std::int64_t upper) {
  return word((lower & 0xffff) | ((upper & 0xffff) << 16));
}

inline bool saturates(const OutputStage& stage) { return stage.low == -128 && stage.high == 127; }

/// A clamp at the zero point hides what TensorFlow Lite's rounding does to negative accumulators.
inline bool hides_sign(const OutputStage& stage) { return stage.zero_point == -128 && saturates(stage); }

inline std::int32_t requantized(std::int64_t acc, const DspChannel& channel, const OutputStage& stage) {
  const auto scaled = tn_requantize(static_cast<std::int32_t>(acc), static_cast<std::int32_t>(channel.multiplier),
                                    static_cast<std::int32_t>(channel.shift));
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(std::int64_t{scaled} + stage.zero_point, stage.low, stage.high));
}

/// Two of a window's weights that a step multiplies; -1: none.
using StepWeights = std::array<std::int64_t, 2>;
/// Those of every step of a tile, in the order of engine/dsp/gather.S.
[[nodiscard]] std::vector<StepWeights> step_weights(std::int32_t runs, std::int32_t run_length);

/// The channels of a matrix, weights [channels][each].
[[nodiscard]] std::vector<DspChannel> matrix_channels(std::span<const std::int64_t> weights, const OutputStage& stage);

}  // namespace tinynas
