// Weights and requantisation constants in the forms that the DSP kernels read (engine/dsp/tile.S, lanes.inc). Each channel
// gets the quickest way of requantising that interval arithmetic proves exact for every input; the universal way is always
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codegen/kernel_set.h"

namespace tinynas {

/// Values [low, high].
struct Interval {
  std::int64_t low = 0, high = 0;
  [[nodiscard]] std::int64_t magnitude() const;
};
/// What an accumulator can be, bias included.
[[nodiscard]] Interval accumulator_interval(std::span<const std::int64_t> weights, std::int64_t bias,
                                            Interval inputs = {-128, 127});

/// A channel as both packings see it. A channel whose output cannot change has no weights left.
struct DspChannel {
  std::vector<std::int64_t> weights;
  std::int64_t bias = 0, multiplier = 0, shift = 0;  // shift: positive to the left, as in TensorFlow Lite
  Interval accumulator;
  bool constant = false;
  std::int32_t value = 0;  // of a constant channel
};
[[nodiscard]] DspChannel dsp_channel(std::vector<std::int64_t> weights, const OutputStage& stage, std::size_t channel);

/// Where results go: nhwc, or planes of `plane_bytes` (plan.h).
struct DspPlacement {
  bool planar = false;
  std::int64_t plane_bytes = 0;
  bool words = false;  // planar rows of whole words: four pixels are stored at once
};

struct PackedMatrix {
  std::vector<std::int64_t> words;  // uint32, tn_dsp_lead() words in front
  std::int32_t steps = 0, pairs = 0;
};
/// weights [channels][runs * run_length], each run gathered by itself (engine/dsp/gather.S).
[[nodiscard]] PackedMatrix pack_matrix(std::span<const std::int64_t> weights, std::int32_t runs, std::int32_t run_length,
                                       const OutputStage& stage, const DspPlacement& placement);

/// The same with weights of 16 bits (engine/dsp/tile_w16.S) and results in planar rows; two channels and steps or more.
/// nullopt where interval arithmetic does not prove the quick requantisation for every channel.
[[nodiscard]] std::optional<PackedMatrix> pack_matrix_w16(std::span<const std::int64_t> weights, std::int32_t runs,
                                                          std::int32_t run_length, const OutputStage& stage,
                                                          const DspPlacement& placement);

struct DepthwiseShape {
  std::int32_t kernel = 3, stride = 1;
  bool leading_zero = false;   // stride 2: the first tap stands in the upper halfword
  std::int32_t offset = 0;     // what the strips' values have more than the map's
  std::int32_t zero_rows = 0;  // beside the weights, half of them in front
};
/// weights [kernel][kernel][channels] -> words of the channels in turn.
[[nodiscard]] std::vector<std::int64_t> pack_depthwise(std::span<const std::int64_t> weights, const DepthwiseShape& shape,
                                                       const OutputStage& stage);
/// Whether no channel of pack_depthwise()'s words takes a slower way (lanes.inc).
[[nodiscard]] bool requantizes_quickly(std::span<const std::int64_t> words, const DepthwiseShape& shape);

}  // namespace tinynas
